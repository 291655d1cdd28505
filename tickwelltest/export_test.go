package tickwelltest

import "time"

// SetLimit bounds what anything of the suite may take, for sinks that never end.
func (t *SinkTarget) SetLimit(d time.Duration) { t.limit = d }
