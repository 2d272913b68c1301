package workspace

import (
	"fmt"
	"os"
	"path/filepath"
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

// resolveSecrets puts the contents of files in place of their names in the sources' shared secrets, and returns what it read, each file
// once. Names are relative to dir. One that cannot be read keeps its name, for which the check then refuses it.
func (c *Config) resolveSecrets(dir string) []secretFile {
	var files []secretFile
	known := map[string]secretFile{}
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
				f, read := known[path]
				if !read {
					f = readSecretFile(path)
					known[path] = f
					files = append(files, f)
				}
				if f.err == nil {
					secrets[k] = f.text
				}
			}
		}
	}
	return files
}

// sharedSecrets checks the secrets of one source. They are shared with Segment, where one may sign for several sources.
func (p *problems) sharedSecrets(where string, secrets []string) {
	seen := map[string]bool{}
	for i, secret := range secrets {
		at := fmt.Sprintf("%s[%d]", where, i)
		switch {
		case strings.HasPrefix(secret, filePrefix):
			p.add("%s: the file cannot be read: look whether it is there, and who may read it", at)
		case len(secret) < minKeyBytes:
			p.add("%s: shorter than %d characters: take a longer one, here and in Segment", at, minKeyBytes)
		case strings.ContainsAny(secret, "\r\n"):
			p.add("%s: longer than one line: take the line ends out", at)
		case seen[secret]:
			p.add("%s: stands twice: take one away", at)
		}
		seen[secret] = true
	}
}
