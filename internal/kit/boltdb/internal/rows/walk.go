package rows

// Walk goes through all rows of a level that is not written to any more, in order of their places and keys.
type Walk struct {
	level  *Level
	places []Place // that were not begun
	row    *Row
}

// Walk returns a walk that stands at the first row.
func (l *Level) Walk() *Walk {
	w := &Walk{level: l, places: l.places()}
	w.enter()
	return w
}

// Row returns the row that it stands at, nil when it is over.
func (w *Walk) Row() *Row { return w.row }

// Next moves to the next row.
func (w *Walk) Next() {
	if w.row = w.row.after(0); w.row == nil {
		w.enter()
	}
}

// enter moves to the first row of the next place.
func (w *Walk) enter() {
	for w.row == nil && len(w.places) > 0 {
		o := w.level.order(w.places[0])
		o.link()
		w.row, w.places = o.head.after(0), w.places[1:]
	}
}
