// Command schemagen makes the schemas that the chart is checked against, of Kubernetes' own API description and of the custom resources
// that the chart can make. They are kept beside the test, so that it needs no network; `make chart-schemas` renews them.
//
//	schemagen -swagger swagger.json -out DIR [CRD.yaml …]
//
// Other than the API description itself, they allow no fields that are not described.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// kinds are those of Kubernetes itself that the chart makes.
var kinds = map[string]bool{
	"v1/ConfigMap": true, "v1/PersistentVolumeClaim": true, "v1/Pod": true, "v1/Secret": true, "v1/Service": true, "v1/ServiceAccount": true,
	"apps/v1/Deployment": true, "apps/v1/StatefulSet": true, "batch/v1/CronJob": true, "batch/v1/Job": true,
	"autoscaling/v2/HorizontalPodAutoscaler": true, "policy/v1/PodDisruptionBudget": true,
	"networking.k8s.io/v1/Ingress": true, "networking.k8s.io/v1/NetworkPolicy": true,
}

type object = map[string]any

func main() {
	swagger := flag.String("swagger", "", "api/openapi-spec/swagger.json of k8s.io/kubernetes")
	out := flag.String("out", "", "directory of the schemas")
	flag.Parse()
	err := builtIn(*swagger, *out)
	for _, crd := range flag.Args() {
		if err == nil {
			err = custom(crd, *out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "schemagen:", err)
		os.Exit(1)
	}
}

// builtIn writes a schema for each of kinds, and one file with all that they refer to.
func builtIn(swagger, out string) error {
	text, err := os.ReadFile(swagger)
	if err != nil {
		return err
	}
	var doc struct{ Definitions map[string]object }
	if err := json.Unmarshal(text, &doc); err != nil {
		return err
	}
	doc.Definitions["io.k8s.apimachinery.pkg.util.intstr.IntOrString"] = object{"type": []any{"string", "integer"}}
	doc.Definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] = object{"type": []any{"string", "number"}}
	needed := object{}
	for name, definition := range doc.Definitions {
		of := groupVersionKind(definition)
		if !kinds[of] {
			continue
		}
		delete(kinds, of)
		if err := write(out, of, object{"$ref": "_definitions.json#/definitions/" + name}); err != nil {
			return err
		}
		need(name, doc.Definitions, needed)
	}
	if len(kinds) > 0 {
		return fmt.Errorf("not described: %v", kinds)
	}
	return writeFile(filepath.Join(out, "_definitions.json"), object{"definitions": needed})
}

func groupVersionKind(definition object) string {
	of, _ := definition["x-kubernetes-group-version-kind"].([]any)
	if len(of) != 1 {
		return ""
	}
	gvk, _ := of[0].(object)
	return strings.TrimPrefix(fmt.Sprint(gvk["group"], "/", gvk["version"], "/", gvk["kind"]), "/")
}

// need adds a definition and all that it refers to.
func need(name string, all map[string]object, needed object) {
	if _, done := needed[name]; done {
		return
	}
	needed[name] = nil
	needed[name] = strict(all[name], func(ref string) string {
		target := strings.TrimPrefix(ref, "#/definitions/")
		need(target, all, needed)
		return "_definitions.json#/definitions/" + target
	})
}

// custom writes a schema for each version that a custom resource's definition serves.
func custom(crd, out string) error {
	text, err := os.ReadFile(crd)
	if err != nil {
		return err
	}
	var definition struct {
		Spec struct {
			Group    string
			Names    struct{ Kind string }
			Versions []struct {
				Name   string
				Schema struct{ OpenAPIV3Schema object }
			}
		}
	}
	if err := yaml.Unmarshal(text, &definition); err != nil {
		return fmt.Errorf("%s: %w", crd, err)
	}
	for _, version := range definition.Spec.Versions {
		schema := version.Schema.OpenAPIV3Schema
		if properties, ok := schema["properties"].(object); ok {
			properties["metadata"] = object{"$ref": "_definitions.json#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
		}
		schema, _ = strict(schema, func(ref string) string { return ref }).(object)
		if err := write(out, definition.Spec.Group+"/"+version.Name+"/"+definition.Spec.Names.Kind, schema); err != nil {
			return err
		}
	}
	return nil
}

// dropped says nothing to a JSON schema, or only repeats for people what it says.
var dropped = map[string]bool{"description": true, "default": true, "format": true, "example": true}

// strict returns a schema without descriptions in which objects whose fields are described have no others.
func strict(of any, refer func(string) string) any {
	switch v := of.(type) {
	case []any:
		for i := range v {
			v[i] = strict(v[i], refer)
		}
		return v
	case object:
		return strictObject(v, refer)
	default:
		return v
	}
}

func strictObject(v object, refer func(string) string) object {
	out := object{}
	for key, value := range v {
		switch {
		case strings.HasPrefix(key, "x-"):
		case dropped[key] && isText(value):
		case key == "default":
		case key == "$ref":
			out[key] = refer(fmt.Sprint(value))
		case key == "properties":
			fields := object{}
			described, _ := value.(object)
			for name, field := range described {
				fields[name] = strict(field, refer)
			}
			out[key] = fields
		default:
			out[key] = strict(value, refer)
		}
	}
	if out["properties"] != nil && out["additionalProperties"] == nil && v["x-kubernetes-preserve-unknown-fields"] == nil {
		out["additionalProperties"] = false
	}
	if v["x-kubernetes-int-or-string"] == true {
		return object{"type": []any{"string", "integer"}}
	}
	return out
}

func isText(v any) bool { _, ok := v.(string); return ok }

// write stores a schema under the name that kubeconform looks for.
func write(out, of string, schema object) error {
	part := strings.Split(of, "/")
	kind, version := part[len(part)-1], part[len(part)-2]
	suffix := "-" + version
	if len(part) == 3 {
		suffix = "-" + strings.Split(part[0], ".")[0] + suffix
	}
	return writeFile(filepath.Join(out, strings.ToLower(kind+suffix)+".json"), schema)
}

func writeFile(path string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
