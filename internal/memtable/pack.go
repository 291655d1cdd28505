package memtable

// Pack encodes the rows that are still raw, of a table that takes no more
// writes: the table that comes after it soon has as many, and where memory is
// scarce both are not to be had. Snapshots see what they saw. Only tables of
// NewStaged are packed.
func (t *Table) Pack() {
	if t.stageRows == t.blockRows {
		return
	}
	for _, d := range t.Devices() {
		d.pack()
	}
}

func (d *Device) pack() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.targets, d.firstTarget = nil, [1]target{}
	for _, g := range d.groups {
		g.settle(d.table, Cut{})
		g.dropFresh(d.table)
		for k := range g.lanes {
			if n := len(g.lanes[k].chunks); n > 0 {
				g.pack(g.lanes[k].chunks[n-1], d.table)
			}
		}
		d.table.bytes.Add(int64(-cap(g.spare.times) * rowWidth(g.kinds)))
		g.spare = columns{}
	}
}

// pack encodes the last chunk of a lane; the ones before it are.
func (g *group) pack(c *chunk, t *Table) {
	if c.sealed != nil || len(c.rows.times) == 0 {
		return
	}
	before := c.bytes(g)
	rows := Rows{Times: c.rows.times, Cols: c.rows.cols, Nulls: c.rows.nulls}
	c.sealed, c.rows = seal(g.kinds, &rows, nil, 0, len(rows.Times)), columns{}
	c.closed = true
	t.bytes.Add(c.bytes(g) - before)
}
