package crashfs

import "github.com/tickwell/tickwell/vfs"

// handle is an open file. Its fields do not change, but for pos, which the file
// system's lock guards.
type handle struct {
	c     *FS
	inner vfs.File
	name  string
	inode int
	pos   int64 // where Write continues
}

func (h *handle) begin(op Op) (*Fault, error) {
	op.Name = h.name
	return h.c.begin(op)
}

func (h *handle) ReadAt(p []byte, off int64) (int, error) {
	_, err := h.begin(Op{Kind: Read, Off: off, Len: int64(len(p))})
	defer h.c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return h.inner.ReadAt(p, off)
}

func (h *handle) Write(p []byte) (int, error) {
	h.c.mu.Lock()
	off := h.pos // Writes of one handle do not run at the same time
	h.c.mu.Unlock()
	n, err := h.WriteAt(p, off)
	h.c.mu.Lock()
	h.pos = off + int64(n)
	h.c.mu.Unlock()
	return n, err
}

func (h *handle) WriteAt(p []byte, off int64) (int, error) {
	op := Op{Kind: Write, Name: h.name, Off: off, Len: int64(len(p))}
	fault, err := h.begin(op)
	defer h.c.mu.Unlock()
	if err != nil {
		if fault.Short <= 0 {
			return 0, err
		}
		p = p[:min(fault.Short, len(p))]
	} else if room := h.c.room(h.inode, off, int64(len(p))); room < int64(len(p)) {
		p = p[:room]
		err = h.c.faults.full(op)
	}
	n, werr := h.inner.WriteAt(p, off)
	if werr != nil {
		return n, werr
	}
	if n > 0 {
		op.Len = int64(n)
		h.c.log = append(h.c.log, record{op: op, inode: h.inode, data: append([]byte(nil), p[:n]...)})
		h.c.sizes[h.inode] = max(h.c.sizes[h.inode], off+int64(n))
	}
	return n, err
}

// room returns how many of n bytes at off fit on the disk.
func (c *FS) room(inode int, off, n int64) int64 {
	budget, limited := c.faults.writeBudget()
	grow := off + n - c.sizes[inode]
	if !limited || grow <= 0 {
		return n
	}
	free := max(budget-c.used(), 0)
	return max(n-max(grow-free, 0), 0)
}

// used returns the bytes of all files that have a name.
func (c *FS) used() int64 {
	total := int64(0)
	for _, id := range c.names {
		total += c.sizes[id]
	}
	return total
}

func (h *handle) Truncate(size int64) error {
	op := Op{Kind: Truncate, Name: h.name, Len: size}
	_, err := h.begin(op)
	defer h.c.mu.Unlock()
	if err != nil {
		return err
	}
	old := h.c.sizes[h.inode]
	if grow := size - old; grow > 0 && h.c.room(h.inode, old, grow) < grow {
		return h.c.faults.full(op)
	}
	if err := h.inner.Truncate(size); err != nil {
		return err
	}
	if size != old {
		h.c.log = append(h.c.log, record{op: op, inode: h.inode})
		h.c.sizes[h.inode] = size
	}
	return nil
}

func (h *handle) Sync() error {
	op := Op{Kind: Sync, Name: h.name, Site: callSite()}
	if h.c.sites.elided(op.Site) {
		return nil
	}
	_, err := h.begin(op)
	defer h.c.mu.Unlock()
	if err == nil && h.c.faults.overBudget(h.c.used()) {
		err = h.c.faults.full(op)
	}
	if err == nil {
		if err := h.inner.Sync(); err != nil {
			return err
		}
	}
	h.c.log = append(h.c.log, record{op: op, inode: h.inode, failed: err != nil})
	return err
}

func (h *handle) Size() (int64, error) {
	_, err := h.begin(Op{Kind: Size})
	defer h.c.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return h.inner.Size()
}

// Close closes the file even when a fault makes it return an error, as the
// operating system does.
func (h *handle) Close() error {
	_, err := h.begin(Op{Kind: Close})
	defer h.c.mu.Unlock()
	if cerr := h.inner.Close(); cerr != nil {
		return cerr
	}
	return err
}
