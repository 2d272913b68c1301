package workspace

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// filePrefix begins a shared secret that is the path of a file which holds it.
const filePrefix = "file:"

// secretFile is a file with a shared secret, as it was read.
type secretFile struct {
	path, text string
	err        error
}

// readSecretFile reads a file with a shared secret. Space around it, such as the end of its line, is no part of it.
func readSecretFile(path string) secretFile {
	text, err := os.ReadFile(path)
	return secretFile{path: path, text: strings.TrimSpace(string(text)), err: err}
}

// sign returns what tells two readings of the file apart.
func (f secretFile) sign() string { return fmt.Sprintf("%q %q %v\n", f.path, f.text, f.err) }

// resolveSecrets puts the contents of files in place of their names in the sources' shared secrets, and returns what it read. Names are
// relative to dir. One that cannot be read keeps its name, for which the check then refuses it.
func (c *Config) resolveSecrets(dir string) []secretFile {
	var files []secretFile
	for i := range c.Workspaces {
		for j := range c.Workspaces[i].Sources {
			secrets := c.Workspaces[i].Sources[j].SharedSecrets
			for k, secret := range secrets {
				path, isFile := strings.CutPrefix(secret, filePrefix)
				if !isFile {
					continue
				}
				if !filepath.IsAbs(path) {
					path = filepath.Join(dir, path)
				}
				f := readSecretFile(path)
				if files = append(files, f); f.err == nil {
					secrets[k] = f.text
				}
			}
		}
	}
	return files
}

// dropSecrets removes the sources' shared secrets. It reads no file.
func (c *Config) dropSecrets() []secretFile {
	for i := range c.Workspaces {
		for j := range c.Workspaces[i].Sources {
			c.Workspaces[i].Sources[j].SharedSecrets = nil
		}
	}
	return nil
}

// sharedSecrets checks the secrets of one source. They are shared with Segment, where one may sign for several sources.
func (p *problems) sharedSecrets(where string, secrets []string) {
	for i, secret := range secrets {
		at := fmt.Sprintf("%s[%d]", where, i)
		switch {
		case strings.HasPrefix(secret, filePrefix):
			p.add("%s: the file cannot be read", at)
		case len(secret) < minKeyBytes:
			p.add("%s: shorter than %d characters", at, minKeyBytes)
		case strings.ContainsAny(secret, "\r\n"):
			p.add("%s: longer than one line", at)
		case slices.Contains(secrets[:i], secret):
			p.add("%s: stands twice", at)
		}
	}
}
