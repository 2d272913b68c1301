module github.com/sojournhq/sojourn/tests/cluster

go 1.26.0
