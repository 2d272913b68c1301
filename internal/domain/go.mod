module github.com/sojournhq/sojourn/internal/domain

go 1.26.0

replace github.com/sojournhq/sojourn/proto => ../../proto

replace github.com/sojournhq/sojourn/internal/kit => ../../internal/kit

replace github.com/sojournhq/sojourn/services/events => ../../services/events

replace github.com/sojournhq/sojourn/services/identity => ../../services/identity

replace github.com/sojournhq/sojourn/services/sessions => ../../services/sessions

replace github.com/sojournhq/sojourn/gateway => ../../gateway

replace github.com/sojournhq/sojourn/standalone => ../../standalone

require (
	github.com/goccy/go-yaml v1.19.2
	github.com/google/go-cmp v0.7.0
	github.com/sojournhq/sojourn/internal/kit v0.0.0-00010101000000-000000000000
	github.com/sojournhq/sojourn/proto v0.0.0-00010101000000-000000000000
	go.etcd.io/bbolt v1.5.0
	google.golang.org/protobuf v1.36.12
	pgregory.net/rapid v1.3.0
)

require (
	github.com/stretchr/testify v1.12.1 // indirect
	golang.org/x/net v0.60.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
	golang.org/x/text v0.42.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260928230214-8a89bd6388cc // indirect
	google.golang.org/grpc v1.85.0 // indirect
)
