module github.com/sojournhq/sojourn/tests/reliability

go 1.26.0

replace github.com/sojournhq/sojourn/tests/program => ../program

require github.com/sojournhq/sojourn/tests/program v0.0.0-00010101000000-000000000000
