package strict

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"connectrpc.com/connect"
)

// getParameters are those that Connect's protocol has for a request by GET. A request by POST has none.
var getParameters = []string{"base64", "compression", "connect", "encoding", "message"}

// Parameters lets only requests through whose URL has no other parameters than those of Connect's protocol: a condition that stands beside
// the message would be left out. It answers with INVALID_ARGUMENT, also what Connect has no message for.
func Parameters(next http.Handler) http.Handler {
	refuse := connect.NewErrorWriter()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := checkParameters(r); err != nil {
			_ = refuse.Write(w, r, connect.NewError(connect.CodeInvalidArgument, err)) // or nobody reads it
			return
		}
		next.ServeHTTP(w, r)
	})
}

func checkParameters(r *http.Request) error {
	parameters, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return errors.New("the parameters of the URL cannot be read")
	}
	isGet := r.Method == http.MethodGet
	for name, values := range parameters {
		switch {
		case !isGet || !slices.Contains(getParameters, name):
			return unknownParameter(isGet, name)
		case len(values) > 1:
			return fmt.Errorf("the parameter %s is there twice", name)
		}
	}
	if !isGet {
		return nil
	}
	return checkGet(parameters)
}

func unknownParameter(isGet bool, name string) error {
	if !isName(name) {
		name = "one of those sent"
	}
	if isGet {
		return fmt.Errorf("%s is not a parameter of the URL: fields stand in the parameter message, in JSON", name)
	}
	return fmt.Errorf("%s is not a parameter of the URL, which has none with POST: fields stand in the body", name)
}

func checkGet(parameters url.Values) error {
	message := parameters.Get("message")
	switch encoding := parameters.Get("encoding"); {
	case encoding != "json" && encoding != "proto":
		return errors.New("the parameter encoding must be json or proto")
	case !parameters.Has("message"):
		return errors.New("the parameter message is missing: the least there is to send in JSON is {}")
	}
	switch parameters.Get("base64") {
	case "", "0":
		return nil
	case "1":
	default:
		return errors.New("the parameter base64 must be 1 or left out")
	}
	alphabet := base64.URLEncoding
	if len(message)%4 != 0 {
		alphabet = base64.RawURLEncoding
	}
	if _, err := alphabet.DecodeString(message); err != nil {
		return errors.New("the parameter message is not base64 of the alphabet for URLs")
	}
	return nil
}
