package segment

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// maxNodes is how much an outline notes. A body of nothing but brackets would otherwise take many times its length in memory.
const maxNodes = 64 << 10

// outline is what stands where in one piece of JSON, found in a single pass.
//
// It is the way for what is as it should be, which nearly all is. Reading is as strict as checkStrict and stricter, so what has an outline
// needs no other look; what has none may be good or not, and goes the long way, which says what is wrong with it.
type outline struct {
	text  []byte
	nodes []node // in the order in which they begin; first comes the whole
	wide  bool   // the text is not all ASCII
}

// node is one value: the whole, a member of an object, or a call of a batch. What else stands in arrays is looked at and not noted.
type node struct {
	name, nameEnd int32 // where its name is, without the quotes
	start, end    int32 // where the value is
	next          int32 // the node behind it and all that is in it
}

// read reads text, and says whether it is good for sure.
func (o *outline) read(text []byte) bool {
	if len(text) > math.MaxInt32 {
		return false
	}
	o.text, o.nodes, o.wide = text, append(o.nodes[:0], node{}), false
	start := o.space(0)
	end := o.value(start, 0)
	if end < 0 || o.space(end) != len(text) || o.wide && !utf8.Valid(text) {
		return false
	}
	o.nodes[0] = node{start: int32(start), end: int32(end), next: int32(len(o.nodes))}
	return true
}

// of returns the value of a node, and nothing for none.
func (o *outline) of(n int) jsontext.Value {
	if n < 0 {
		return nil
	}
	return o.text[o.nodes[n].start:o.nodes[n].end]
}

// name returns the name of a node.
func (o *outline) name(n int) []byte { return o.text[o.nodes[n].name:o.nodes[n].nameEnd] }

// kind returns how the value of a node begins.
func (o *outline) kind(n int) byte { return o.text[o.nodes[n].start] }

// within calls visit with each node right below n, until it returns false.
func (o *outline) within(n int, visit func(int) bool) {
	for child, end := n+1, int(o.nodes[n].next); child < end; child = int(o.nodes[child].next) {
		if !visit(child) {
			return
		}
	}
}

// member returns the member of that name of an object; -1 if there is none, or n is none.
func (o *outline) member(n int, name string) int {
	if n < 0 || o.kind(n) != '{' {
		return -1
	}
	for child, end := n+1, int(o.nodes[n].next); child < end; child = int(o.nodes[child].next) {
		if string(o.name(child)) == name {
			return child
		}
	}
	return -1
}

// value reads the value at i, inside so many objects and arrays, and returns where it ends; -1: it is not good for sure.
func (o *outline) value(i, depth int) int {
	switch c := o.at(i); {
	case c == '"':
		end, _ := o.quoted(i + 1)
		return end
	case c == '{' && depth < maxDepth:
		return o.object(i+1, depth+1)
	case c == '[' && depth < maxDepth:
		return o.array(i+1, depth+1)
	case c == '-' || isDigit(c):
		return o.number(i)
	}
	for _, literal := range [...]string{"null", "true", "false"} {
		if end := i + len(literal); end <= len(o.text) && string(o.text[i:end]) == literal {
			return end
		}
	}
	return -1
}

// at returns the byte at i, 0 behind the end.
func (o *outline) at(i int) byte {
	if i < len(o.text) {
		return o.text[i]
	}
	return 0
}

func (o *outline) space(i int) int {
	for i < len(o.text) && o.text[i] <= ' ' && (o.text[i] == ' ' || o.text[i] == '\n' || o.text[i] == '\r' || o.text[i] == '\t') {
		i++
	}
	return i
}

// begin notes a node. False: there are too many.
func (o *outline) begin(n node) bool {
	o.nodes = append(o.nodes, n)
	return len(o.nodes) <= maxNodes
}

func (o *outline) end(n, at int) { o.nodes[n].end, o.nodes[n].next = int32(at), int32(len(o.nodes)) }

// object reads an object behind its opening.
func (o *outline) object(i, depth int) int {
	if i = o.space(i); o.at(i) == '}' {
		return i + 1
	}
	first, seen := len(o.nodes), uint64(0)
	for o.at(i) == '"' {
		end, escaped := o.quoted(i + 1)
		if end < 0 || escaped {
			return -1
		}
		n := node{name: int32(i + 1), nameEnd: int32(end - 1)}
		mark := markOf(o.text[i+1 : end-1])
		if seen&mark != 0 && o.has(first, o.text[i+1:end-1]) {
			return -1
		}
		seen |= mark
		if i = o.space(end); o.at(i) != ':' {
			return -1
		}
		i = o.space(i + 1)
		n.start = int32(i)
		at := len(o.nodes)
		if !o.begin(n) {
			return -1
		}
		if i = o.value(i, depth); i < 0 {
			return -1
		}
		o.end(at, i)
		switch i = o.space(i); o.at(i) {
		case '}':
			return i + 1
		case ',':
			i = o.space(i + 1)
		default:
			return -1
		}
	}
	return -1
}

// markOf returns one of 64 bits for a name: two names of different bits differ.
func markOf(name []byte) uint64 {
	n := len(name)
	if n == 0 {
		return 1
	}
	return 1 << ((uint(name[0]) ^ uint(name[n-1])<<2 ^ uint(name[n/2])<<1 ^ uint(n)<<3) & 63)
}

// has says whether one of the members from first on has that name.
func (o *outline) has(first int, name []byte) bool {
	for n := first; n < len(o.nodes); n = int(o.nodes[n].next) {
		if bytes.Equal(o.name(n), name) {
			return true
		}
	}
	return false
}

// array reads an array behind its opening. Only of those that may be batches the elements are noted.
func (o *outline) array(i, depth int) int {
	if i = o.space(i); o.at(i) == ']' {
		return i + 1
	}
	for {
		at := len(o.nodes)
		if !o.begin(node{start: int32(i)}) {
			return -1
		}
		if i = o.value(i, depth); i < 0 {
			return -1
		}
		if o.end(at, i); depth > maxBatchDepth {
			o.nodes = o.nodes[:at]
		}
		switch i = o.space(i); o.at(i) {
		case ']':
			return i + 1
		case ',':
			i = o.space(i + 1)
		default:
			return -1
		}
	}
}

// maxBatchDepth is how deep the calls of a batch stand: in an array that is a member of the whole.
const maxBatchDepth = 2

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (o *outline) number(i int) int {
	if o.at(i) == '-' {
		i++
	}
	switch c := o.at(i); {
	case c == '0':
		i++
	case isDigit(c):
		i = o.digits(i)
	default:
		return -1
	}
	if o.at(i) == '.' {
		if i = o.digits(i + 1); !isDigit(o.text[i-1]) {
			return -1
		}
	}
	if c := o.at(i); c == 'e' || c == 'E' {
		if c = o.at(i + 1); c == '+' || c == '-' {
			i++
		}
		if i = o.digits(i + 1); !isDigit(o.text[i-1]) {
			return -1
		}
	}
	return i
}

func (o *outline) digits(i int) int {
	for isDigit(o.at(i)) {
		i++
	}
	return i
}

// eight is a byte eight times.
const eight = 0x0101010101010101

// quoted reads a string behind its opening quote, and returns where it ends, and whether anything in it is escaped.
func (o *outline) quoted(i int) (end int, escaped bool) {
	for {
		for i+8 <= len(o.text) {
			// In each byte of stops the highest bit says that reading stops there: at a control character, a quote, a backslash, or what is
			// not ASCII. What is borrowed goes to bytes behind the first of them only.
			x := binary.LittleEndian.Uint64(o.text[i:])
			stops := (x | (x - ' '*eight) | ((x ^ '"'*eight) - eight) | ((x ^ '\\'*eight) - eight)) & (0x80 * eight)
			if stops != 0 {
				i += bits.TrailingZeros64(stops) / 8
				break
			}
			i += 8
		}
		switch c := o.at(i); {
		case c == '"':
			return i + 1, escaped
		case c == '\\':
			escaped = true
			if i = o.escape(i + 1); i < 0 {
				return -1, true
			}
		case c < ' ':
			return -1, escaped
		default:
			o.wide = o.wide || c >= utf8.RuneSelf
			i++
		}
	}
}

// escape reads an escape behind its backslash. Halves of a pair are left to the long way.
func (o *outline) escape(i int) int {
	switch o.at(i) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		if i+5 > len(o.text) {
			return -1
		}
		var code uint
		for _, c := range o.text[i+1 : i+5] {
			digit := bytes.IndexByte([]byte("0123456789abcdefABCDEF"), c)
			if digit < 0 {
				return -1
			}
			if digit > 15 {
				digit -= 6
			}
			code = code<<4 | uint(digit)
		}
		if code&0xf800 == 0xd800 {
			return -1
		}
		return i + 5
	}
	return -1
}
