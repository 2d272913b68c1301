package rows

// Walk goes through all rows of a level that is not written to any more, in order of their places and keys.
type Walk struct {
	level  *Level
	places []Place // that were not begun
	order  *order  // of the row
	row    uint32
}

// Walk returns a walk that stands at the first row.
func (l *Level) Walk() *Walk {
	w := &Walk{level: l, places: l.places()}
	w.enter()
	return w
}

// Row returns the row that it stands at, and whether there is one: none when it is over.
func (w *Walk) Row() (r Row, ok bool) {
	if w.row == 0 {
		return Row{}, false
	}
	return Row{w.level, w.level.rows.at(w.row)}, true
}

// Next moves to the next row.
func (w *Walk) Next() {
	if w.row = w.order.after(w.row, 0); w.row == 0 {
		w.enter()
	}
}

// enter moves to the first row of the next place.
func (w *Walk) enter() {
	for w.row == 0 && len(w.places) > 0 {
		w.order = w.level.order(w.places[0])
		w.order.link()
		w.row, w.places = w.order.after(0, 0), w.places[1:]
	}
}
