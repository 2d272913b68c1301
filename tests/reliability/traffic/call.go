package traffic

import (
	"fmt"

	"github.com/sojournhq/sojourn/tests/reliability/oracle"
)

// visitor is who makes a visit.
type visitor struct {
	device string
	user   int
}

// userIDs and accountIDs run into each other: "u-1" of "1x" and "u-11" of "x" are the same when joined.
func (v *visitor) userID() string {
	if v.user%7 == 0 {
		return "u-" + "1111"[:v.user/7%4]
	}
	return fmt.Sprintf("user-%d", v.user)
}

func (v *visitor) accountID() string {
	if v.user%7 == 0 {
		return "1111"[:(3-v.user/7%4+v.user/28%2)%4] + "x"
	}
	return fmt.Sprintf("account-%d", v.user/6)
}

// call makes one call.
func (s *Stream) call(v *visitor, at int64) oracle.Call {
	r := s.random
	c := oracle.Call{Workspace: s.workspace, Source: "app", TimeMS: at, AnonymousID: v.device, UserID: v.userID(), MessageID: s.messageID()}
	if r.IntN(3) == 0 {
		c.AccountID = v.accountID()
	}
	switch {
	case r.IntN(6) == 0:
		c.UserID, c.AccountID = "", "" // not signed in yet
	case v.user%11 == 0 && r.IntN(8) == 0:
		c.AccountID = fmt.Sprintf("account-%d", v.user/6+1) // somebody of two accounts
	case v.user%13 == 0 && r.IntN(4) == 0:
		c.UserID = "guest-" + c.UserID // known by another name too, as an alias says
	}
	if r.IntN(25) == 0 {
		c.AnonymousID = ""
	}
	switch kind := r.IntN(1000); {
	case kind < 700:
		c.Type, c.Feature, c.Module = "track", fmt.Sprintf("Feature %d", r.IntN(12)), s.module()
	case kind < 870:
		c.Type, c.Module = "page", s.module()
	case kind < 940:
		c.Type, c.Traits = "identify", s.userTraits()
	case kind < 980:
		c.Type, c.Traits, c.AccountID = "group", s.accountTraits(), v.accountID()
	case kind < 990:
		c.Type, c.Bad = "track", true // nobody says of what
	default:
		c.Type, c.AnonymousID, c.UserID, c.PreviousID, c.AccountID = "alias", "", v.userID(), "guest-"+v.userID(), ""
	}
	return c
}

// messageID is a UUID, as Segment's libraries make them, or what other clients do.
func (s *Stream) messageID() string {
	n := len(s.made)
	if r := s.random.Uint64(); r%4 > 0 {
		return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", uint32(r>>32), s.sender, uint16(r>>16)&0xfff, n&0xfff, n)
	}
	return fmt.Sprintf("ajs-%d-%d", s.sender, n)
}

func (s *Stream) module() string {
	if s.random.IntN(3) == 0 {
		return ""
	}
	return fmt.Sprintf("Module %d", s.random.IntN(5))
}

func (s *Stream) userTraits() oracle.Traits {
	return s.some(oracle.Traits{
		"first_name": s.name("First"), "last_name": s.name("Last"), "email": s.name("mail") + "@example.com", "title": s.name("Title"), "phone": s.name("+1 "),
	})
}

func (s *Stream) accountTraits() oracle.Traits {
	return s.some(oracle.Traits{
		"name": s.name("Company"), "createdAt": fmt.Sprintf("20%02d-0%d-01T00:00:00Z", 10+s.random.IntN(15), 1+s.random.IntN(9)),
		"employees": s.random.IntN(5000), "industry": s.name("Industry"), "tier": []string{"gold", "silver", "bronze"}[s.random.IntN(3)],
	})
}

func (s *Stream) name(of string) string { return fmt.Sprintf("%s %d", of, s.random.IntN(1000)) }

// some leaves out some traits and clears others.
func (s *Stream) some(traits oracle.Traits) oracle.Traits {
	for _, name := range []string{"first_name", "last_name", "email", "title", "phone", "name", "createdAt", "employees", "industry", "tier"} {
		if _, is := traits[name]; !is {
			continue
		}
		switch s.random.IntN(10) {
		case 0:
			traits[name] = nil
		case 1, 2, 3, 4:
			delete(traits, name)
		}
	}
	return traits
}
