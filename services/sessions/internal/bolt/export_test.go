package bolt

// SetRebuildStep lets tests take many steps for few points.
func (s *Store) SetRebuildStep(points int64) { s.rebuildStep = points }
