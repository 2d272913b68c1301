package segment

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/sojournhq/sojourn/internal/domain/call"

	"github.com/sojournhq/sojourn/gateway/internal/mapping"
)

// Envelope is what a batch says once for all of its calls. A call's own word wins.
type Envelope struct {
	// SentAt is when the sender sent the batch, by its own clock.
	SentAt jsontext.Value
	// Context is the context of all calls. Of a member that a call's own context has too, the call's counts.
	Context jsontext.Value
	// Integrations are those of all calls, member by member too.
	Integrations jsontext.Value

	// integrations are the members of them that say something to us.
	integrations map[string]jsontext.Value
	// members of the context, if they were looked up, because it may be long and the calls many.
	members map[string]jsontext.Value
	// room is how much the calls of one batch may still take of its context's traits; nil: as much as they like.
	room *int
}

// maxShared is how much the calls of one batch may take of the traits in its context. Each call has them all, so that a small request could
// otherwise become a huge one.
const maxShared = 4 << 20

// perTrait is what a trait takes beside its path and its text.
const perTrait = 48

// spend says whether there is still room for so much of the context's traits.
func (e *Envelope) spend(n int) bool {
	if e.room == nil {
		return true
	}
	*e.room -= n
	return *e.room >= 0
}

// indexed returns the envelope of one batch with the members of its context and integrations looked up.
func (e Envelope) indexed() Envelope {
	e.room = new(maxShared)
	e.integrations = integrationsOf(e.Integrations)
	if e.Context.Kind() == jsontext.KindBeginObject {
		e.members = map[string]jsontext.Value{}
		// What is read here was read before, so it is readable.
		_ = members(e.Context, func(name string, value jsontext.Value) bool { e.members[name] = value; return true })
	}
	return e
}

// inContext returns a member of the batch's context.
func (p *parser) inContext(key string) jsontext.Value {
	if b := &p.o.Batch; b.members != nil || len(b.Context) == 0 {
		return b.members[key]
	}
	return p.reader().lookup(p.o.Batch.Context, []string{key})
}

// inOwnContext returns a member of the call's own context.
func (p *parser) inOwnContext(key string) jsontext.Value {
	if p.outline == nil {
		return p.reader().lookup(p.env.context, []string{key})
	}
	return p.outline.of(p.outline.member(p.outline.member(p.root, "context"), key))
}

// at returns what the keys lead to from the top of the call, or nothing.
func (p *parser) at(keys []string) jsontext.Value {
	if p.outline == nil {
		return p.atSlowly(keys)
	}
	n := p.root
	for i, key := range keys {
		if n = p.outline.member(n, key); n < 0 && i == 1 && keys[0] == "context" {
			return p.reader().lookup(p.inContext(key), keys[2:])
		}
	}
	return p.outline.of(n)
}

// atSlowly is at for a call without an outline.
func (p *parser) atSlowly(keys []string) jsontext.Value {
	top := p.env.field(keys[0])
	switch {
	case top == nil:
		return p.reader().lookup(p.raw, keys)
	case top == &p.env.context && len(keys) > 1:
		v := p.reader().lookup(p.env.context, keys[1:2])
		if len(v) == 0 {
			v = p.inContext(keys[1])
		}
		return p.reader().lookup(v, keys[2:])
	}
	return p.reader().lookup(*top, keys[1:])
}

// sent returns the fingerprint that the call would have if its source were not mapped.
func (p *parser) sent() uint32 {
	rules := p.o.Rules
	rules.Mapping = nil
	plain := parser{
		o: &Options{Rules: rules, Type: p.o.Type, Received: p.o.Received, Batch: p.o.Batch}, raw: p.raw, mapping: contract(),
		outline: p.outline, root: p.root, env: p.env, event: p.event, call: call.Call{Type: p.call.Type},
	}
	// What would be wrong with it makes no difference: it is the same each time.
	for _, id := range []struct {
		to     *string
		target *mapping.Target
	}{
		{&plain.call.UserID, &plain.mapping.User},
		{&plain.call.AnonymousID, &plain.mapping.Session},
		{&plain.call.AccountID, &plain.mapping.Account},
	} {
		*id.to, _, _ = plain.findID(id.target, "")
	}
	if p.call.Type == call.Delete {
		plain.call.AnonymousID, plain.call.AccountID = "", ""
	}
	_ = plain.readNames()
	plain.call.PreviousID = p.call.PreviousID
	return plain.call.Fingerprint()
}
