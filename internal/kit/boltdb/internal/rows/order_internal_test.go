package rows

import "testing"

// A place is found before its first row is added.
func TestAWalkOfAPlaceThatIsAboutToGetItsFirstRowFindsNone(t *testing.T) {
	for name, move := range map[string]func(*Cursor){
		"seek":        func(c *Cursor) { c.Seek([]byte("k")) },
		"seek before": func(c *Cursor) { c.SeekBefore([]byte("k")) },
		"last":        (*Cursor).Last,
	} {
		l := New()
		l.orderOf(7)
		for _, view := range []View{l.Read(), l.Follow(), l.All()} {
			cursor := view.Cursor(7)
			if move(&cursor); cursor.Key() != nil {
				t.Errorf("%s: found %q", name, cursor.Key())
			}
		}
		l.Set(Hash(7, []byte("k")), 7, []byte("k"), []byte("v"))
		cursor := l.All().Cursor(7)
		if cursor.Seek(nil); string(cursor.Key()) != "k" {
			t.Errorf("%s: then %q is the first, want k", name, cursor.Key())
		}
	}
}
