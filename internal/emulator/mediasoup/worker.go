// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package mediasoup

// A mortal worker lives for workerLife minutes. Another one replaces it at the end of workerPeriod.
const (
	workerPeriod = 7
	workerLife   = 6
)

// addMortalWorker adds a worker, a copy of the last captured one.
func (s *application) addMortalWorker() {
	workers := s.lists["workers"]
	s.lists["workers"] = append(workers, workers[len(workers)-1])
	s.head.Counters["workersCreated"]++
}

// isMortal reports whether a worker or a room belongs to the mortal worker. Rooms are distributed over the workers.
func (s *application) isMortal(number int) bool {
	workers := len(s.lists["workers"])
	return s.Life != 0 && number%workers == workers-1
}

// isWorkerDead reports whether the mortal worker is dead in a minute.
func isWorkerDead(minute int) bool { return minute%workerPeriod >= workerLife }

// workerDeaths returns how often the mortal worker has died until a minute, and how often it was replaced.
func workerDeaths(minute int) (died, replaced int) {
	return (minute + workerPeriod - workerLife) / workerPeriod, minute / workerPeriod
}

// ofMortalWorker returns the moment of the mortal worker. Its id and pid follow those of the last captured one.
func (m moment) ofMortalWorker() moment {
	_, replaced := workerDeaths(m.minute)
	m.worker = replaced + 1
	if replaced > 0 {
		age := m.elapsed - int64(replaced)*workerPeriod*secondsPerMinute*1000
		m.fresh, m.lived, m.born = true, age/1000, m.started+m.elapsed-age
	}
	return m
}
