package block

import "cmp"

// Sizes says how large blocks are made.
type Sizes struct {
	// Content is the usual size of the rows of a block, before they are compressed. None is more than twice as large, but of a single row.
	Content int
	// Sealed is the most that a full block and its key take, where rows are small enough. One with room for more grows to twice as much.
	Sealed int
}

const (
	// mostContent is how many times as large as usual the rows of a block may be, where they can be compressed well.
	mostContent = 2
	// mostSealed is how many times as large as a full block one may become before it is cut.
	mostSealed = 2
)

// Cutter cuts rows into blocks.
type Cutter struct {
	Sizes

	sealer Sealer
	ratio  float64 // of content and block, the last time: what to try next
}

// Even cuts rows, in order of their keys, into blocks that have room to grow. What put is given is overwritten when it has returned.
func (c *Cutter) Even(place Place, rows []Row, put func(key, block []byte) error) error {
	if len(rows) == 0 {
		return nil
	}
	whole, limit := sizeOf(rows), c.Content*mostContent
	if whole <= limit || len(rows) == 1 {
		sealed := c.seal(place, rows, false)
		if len(sealed)+len(rows[0].Key) <= c.Sealed*mostSealed || len(rows) == 1 {
			return put(rows[0].Key, sealed)
		}
	}
	limit = min(limit, int(cmp.Or(c.ratio, 1)*float64(c.Sealed*mostSealed)))
	parts := max(2, (whole*4+limit*3-1)/(limit*3)) // three quarters of what they may be
	each := (whole + parts - 1) / parts
	for len(rows) > 0 {
		n := fit(rows, each)
		if err := put(rows[0].Key, c.seal(place, rows[:n], false)); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// Uncut seals a block that was spliced, unless it is too large for one now. It is overwritten by the next one.
func (c *Cutter) Uncut(place Place, b Block) (sealed []byte, ok bool) {
	if len(b.content) > c.Content*mostContent {
		return nil, false
	}
	sealed = c.sealer.SealAgain(place, b)
	return sealed, len(sealed)+len(b.key) <= c.Sealed*mostSealed
}

// seal seals rows and remembers how well they could be compressed.
func (c *Cutter) seal(place Place, rows []Row, dense bool) []byte {
	sealed := c.sealer.Seal(place, rows, dense)
	c.ratio = float64(len(c.sealer.content)) / float64(len(sealed)+len(rows[0].Key))
	return sealed
}

// Full cuts rows as Even does, but into blocks that are as full as can be, and only the last is not: for tables that grow at their end.
func (c *Cutter) Full(place Place, rows []Row, put func(key, block []byte) error) error {
	for len(rows) > 0 {
		n, sealed := c.most(place, rows)
		if err := put(rows[0].Key, sealed); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

const (
	// tries is how often a block is sealed to find out how many rows fill it.
	tries = 4
	// nearlyFull is how much of a block has to be used for it to be called full.
	nearlyFull = 0.97
)

// most seals about as many rows as fit into a block. How well they can be compressed shows only then.
func (c *Cutter) most(place Place, rows []Row) (n int, sealed []byte) {
	least, limit := 0, len(rows)+1 // how many are known to fit, and how many not to
	for try := 1; ; try++ {
		n = fit(rows, min(int(cmp.Or(c.ratio, 1)*float64(c.Sealed)), c.Content*mostContent))
		n = max(min(n, limit-1), least, 1)
		sealed = c.seal(place, rows[:n], true)
		size := len(sealed) + len(rows[0].Key)
		switch {
		case size > c.Sealed && n > 1:
			limit = n
			c.ratio *= shrink
		case n == least, n == limit-1, try >= tries, float64(size) >= nearlyFull*float64(c.Sealed):
			return n, sealed
		default:
			least = n
		}
	}
}

// shrink is for rows that turned out to be compressed less well than others: fewer are tried than they seem to suggest.
const shrink = 0.99

// fit returns how many rows, one at least, fit into so many bytes of content. A row that is larger than that stands alone.
func fit(rows []Row, content int) (n int) {
	size, before := 0, rows[0].Key
	for n < len(rows) {
		size += rows[n].size(before)
		if size > content && n > 0 {
			break
		}
		before = rows[n].Key
		n++
	}
	return n
}

func sizeOf(rows []Row) (size int) {
	if len(rows) == 0 {
		return 0
	}
	before := rows[0].Key
	for _, r := range rows {
		size += r.size(before)
		before = r.Key
	}
	return size
}
