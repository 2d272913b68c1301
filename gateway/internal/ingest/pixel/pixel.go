// Package pixel reads calls out of the address of an image: where nothing but an image can be loaded, as in a mail, Segment's clients load
// one with the call in its query.
package pixel

import (
	"cmp"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// Image returns the image: a GIF of one transparent pixel.
func Image() []byte {
	return []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00\x21\xf9\x04\x01\x00\x00\x00\x00" +
		"\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b")
}

// Call returns the JSON of the call in a query, and the write key if that stands beside it. The call is the parameter data in base64, or
// else one parameter for each of its members, as userId=ada&properties.module=Billing; all values are text then. What has to be fixed
// comes in place of the JSON.
func Call(rawQuery string) (body []byte, key string, problem *segment.Problem) {
	query, err := url.ParseQuery(rawQuery)
	key = cmp.Or(query.Get("writeKey"), query.Get("writekey"))
	query.Del("writekey") // Jitsu's name for it; it is no member of a call
	if err != nil {
		return nil, key, &segment.Problem{Code: "query_invalid", Message: "the query cannot be read: escape it as a URL asks for"}
	}
	if query.Has("data") {
		body, problem = decode(query.Get("data"))
		return body, key, problem
	}
	body, problem = assemble(query)
	return body, key, problem
}

// decode reads base64 in either alphabet, with or without its end. A plus sign that was not escaped arrives as a space.
func decode(data string) ([]byte, *segment.Problem) {
	standard := strings.NewReplacer(" ", "+", "-", "+", "_", "/").Replace(strings.TrimRight(data, "="))
	body, err := base64.RawStdEncoding.DecodeString(standard)
	if err != nil {
		return nil, &segment.Problem{Code: "data_invalid", Message: "data is not the base64 of a call's JSON", Field: "data"}
	}
	return body, nil
}
