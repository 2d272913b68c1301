module github.com/sojournhq/sojourn/proto

go 1.26
