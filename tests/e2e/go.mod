module github.com/sojournhq/sojourn/tests/e2e

go 1.26.0

replace (
	github.com/sojournhq/sojourn/proto => ../../proto
	github.com/sojournhq/sojourn/tests/program => ../program
)

require (
	connectrpc.com/connect v1.21.1
	github.com/google/go-cmp v0.7.0
	github.com/sojournhq/sojourn/proto v0.0.0-00010101000000-000000000000
	github.com/sojournhq/sojourn/tests/program v0.0.0-00010101000000-000000000000
	google.golang.org/grpc v1.85.0
)

require (
	go.yaml.in/yaml/v4 v4.0.0
	golang.org/x/net v0.60.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
	golang.org/x/text v0.42.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260928230214-8a89bd6388cc // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)
