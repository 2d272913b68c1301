package grpcapi

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

func toUser(u *directory.User) *identityv1.User {
	view := profile.ViewUser(u.Fields)
	return &identityv1.User{
		UserId: u.UserID, AccountId: u.AccountID, Traits: toUserTraits(view), Problems: toProblems(view.Problems),
		LastSeen: toSeen(u.LastSeenMS),
	}
}

func toProblems(problems []profile.Problem) []*identityv1.Problem {
	out := make([]*identityv1.Problem, 0, len(problems))
	for _, p := range problems {
		out = append(out, &identityv1.Problem{Code: p.Code, Trait: p.Trait, Dimension: p.Dimension})
	}
	return out
}

func toUserTraits(v profile.View) *identityv1.UserTraits {
	return &identityv1.UserTraits{
		FirstName:      text(v, "first_name"),
		LastName:       text(v, "last_name"),
		Email:          text(v, "email"),
		Phone:          text(v, "phone"),
		MobilePhone:    text(v, "mobile_phone"),
		Salutation:     text(v, "salutation"),
		Title:          text(v, "title"),
		Role:           text(v, "role"),
		Department:     text(v, "department"),
		MailingStreet:  text(v, "mailing_street"),
		MailingCity:    text(v, "mailing_city"),
		MailingState:   text(v, "mailing_state"),
		MailingPostal:  text(v, "mailing_postal"),
		MailingCountry: text(v, "mailing_country"),
	}
}

func toAccountTraits(v profile.View) *identityv1.AccountTraits {
	traits := &identityv1.AccountTraits{
		Name:           text(v, "name"),
		Email:          text(v, "email"),
		Description:    text(v, "description"),
		Phone:          text(v, "phone"),
		Website:        text(v, "website"),
		Industry:       text(v, "industry"),
		Tier:           text(v, "tier"),
		LifecycleStage: text(v, "lifecycle_stage"),
		BillingStreet:  text(v, "billing_street"),
		BillingCity:    text(v, "billing_city"),
		BillingState:   text(v, "billing_state"),
		BillingPostal:  text(v, "billing_postal"),
		BillingCountry: text(v, "billing_country"),
	}
	if created, ok := v.Values["createdAt"]; ok {
		traits.CreatedAt = toTimestamp(created.TimeMS)
	}
	if employees, ok := v.Values["employees"]; ok {
		traits.Employees = &employees.Number
	}
	if churned, ok := v.Values["is_churned"]; ok {
		traits.IsChurned = &churned.Bool
	}
	return traits
}

func text(v profile.View, trait string) *string {
	if value, ok := v.Values[trait]; ok {
		return &value.Text
	}
	return nil
}

// toSeen returns when somebody was seen, nil for never.
func toSeen(ms int64) *timestamppb.Timestamp {
	if ms <= directory.NeverSeen {
		return nil
	}
	return toTimestamp(ms)
}

func toTimestamp(ms int64) *timestamppb.Timestamp { return timestamppb.New(time.UnixMilli(ms)) }
