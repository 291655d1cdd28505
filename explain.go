package tickwell

// Explanation tells how a query is run, and what that has cost.
type Explanation struct {
	// Plan is the steps, a line each: what comes last is printed first, with
	// what it reads below. It is for people; its form may change.
	Plan string
	// The loops over the result so far: before the first these are 0. A query
	// with Into has run when DB.Query returns.
	BlocksSkipped int64 // blocks that their statistics answered or ruled out
	BlocksDecoded int64 // blocks decoded, one column each; rows not yet in blocks cost none
	RowsRead      int64 // rows read, before WHERE; also of results, with Query.Rollups
	// RolledUp is how many windows of continuous queries were taken, by the name
	// of the query, for all aggregates together. Query.Rollups.
	RolledUp map[string]int64
}

// Explain returns the plan and the costs so far (EXPLAIN, and EXPLAIN ANALYZE
// after the result was read).
func (r *Result) Explain() Explanation {
	e := Explanation{BlocksSkipped: r.meter.Skipped.Load(), BlocksDecoded: r.meter.Decoded.Load(), RowsRead: r.meter.Rows.Load(), RolledUp: r.meter.Levels()}
	if r.plan != nil {
		e.Plan = r.plan.Text()
		if names := r.db.rollupNames(r.ctx, r.plan); names != "" {
			e.Plan = "results of " + names + ", where they are exact\n" + e.Plan
		}
	}
	return e
}
