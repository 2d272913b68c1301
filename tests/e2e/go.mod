module github.com/sojournhq/sojourn/tests/e2e

go 1.26

replace github.com/sojournhq/sojourn/proto => ../../proto

replace github.com/sojournhq/sojourn/internal/kit => ../../internal/kit

replace github.com/sojournhq/sojourn/internal/domain => ../../internal/domain

replace github.com/sojournhq/sojourn/services/events => ../../services/events

replace github.com/sojournhq/sojourn/services/identity => ../../services/identity

replace github.com/sojournhq/sojourn/services/sessions => ../../services/sessions

replace github.com/sojournhq/sojourn/gateway => ../../gateway

replace github.com/sojournhq/sojourn/standalone => ../../standalone
