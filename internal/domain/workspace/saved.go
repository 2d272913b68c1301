package workspace

import (
	"fmt"
	"slices"

	"github.com/sojournhq/sojourn/internal/kit/strictyaml"
)

// Encode returns the configuration as Load and ParseSaved read it: keys and tokens as their hashes, shared secrets as they stand in the
// workspaces file, which may be by the name of their file.
func (c *Config) Encode() ([]byte, error) {
	text, err := strictyaml.Encode(c.withSecretFiles())
	if err != nil {
		return nil, fmt.Errorf("encode workspaces: %w", err)
	}
	return text, nil
}

// withSecretFiles returns the configuration with the names of files in place of the secrets that were read from them.
func (c *Config) withSecretFiles() *Config {
	named := *c
	named.Workspaces = slices.Clone(c.Workspaces)
	for i := range named.Workspaces {
		w := &named.Workspaces[i]
		w.Sources = slices.Clone(w.Sources)
		for j := range w.Sources {
			s := &w.Sources[j]
			s.SharedSecrets = slices.Clone(s.SharedSecrets)
			for k, path := range s.SecretFiles {
				if path != "" {
					s.SharedSecrets[k] = filePrefix + path
				}
			}
		}
	}
	return &named
}

// ParseSaved reads and checks what Encode returned, where the files that it names need not be. It is for looking at a configuration, not
// for serving with it: the shared secrets of files are not known.
func ParseSaved(text []byte) (*Config, error) {
	d, err := decode(text)
	if err != nil {
		return nil, err
	}
	d.config.resolveSecrets("", func(path string) secretFile { return secretFile{path: path, text: "what is in the file " + path} })
	if err := d.check(); err != nil {
		return nil, err
	}
	return d.config, nil
}

// Secrets returns how many shared secrets stand in the workspaces file itself, and the paths of the files that have the others, as they
// stand there.
func (c *Config) Secrets() (plain int, files []string) {
	for i := range c.Workspaces {
		for j := range c.Workspaces[i].Sources {
			s := &c.Workspaces[i].Sources[j]
			for k := range s.SharedSecrets {
				switch {
				case s.SecretFiles == nil || s.SecretFiles[k] == "":
					plain++
				case !slices.Contains(files, s.SecretFiles[k]):
					files = append(files, s.SecretFiles[k])
				}
			}
		}
	}
	return plain, files
}
