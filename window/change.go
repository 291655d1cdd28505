package window

// changed is Collect for a row that ends a state window and begins the next,
// where nothing but that can come of it.
func (r *Reducing[T, A, R]) changed(ts int64, v T) error {
	p, c := r.p, r.c
	p.catchUp(c)
	res := Result[R]{Start: c.begin, End: c.end, Count: c.own.n, Value: p.red.Result(&c.own.acc), Reason: Closed, Final: true}
	c.next++
	c.rows++
	c.begin, c.end, c.seen, c.mark, c.min = ts, ts, ts, max(c.mark, ts), ts+p.inc
	c.first, c.word = v, word(v)
	p.f.begin(&c.own.acc)
	p.red.Add(&c.own.acc, ts, v)
	c.own.n = 1
	p.stats.Windows++
	return r.giveHere(res)
}

// giveHere evaluates a result while calls of the evaluator are kept off the fast
// path.
func (r *Reducing[T, A, R]) giveHere(res Result[R]) (err error) {
	c := r.c
	room := c.room
	c.room, c.armed = 0, 0
	r.p.busy = true
	defer r.given(room, &err)
	return r.out.eval(res)
}

func (r *Reducing[T, A, R]) given(room int64, err *error) {
	r.out.finished(err)
	if !r.p.done {
		r.c.room, r.c.armed = room, room
	}
	if x := recover(); x != nil {
		*err = caught(x)
		r.out.failed.Add(1)
	}
}
