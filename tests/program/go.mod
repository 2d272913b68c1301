module github.com/sojournhq/sojourn/tests/program

go 1.26.0
