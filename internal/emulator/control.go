// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

// controlPath is the path prefix of the control requests. It is not part of the emulated API.
const controlPath = "/_emulator/"

// defaultFaultDuration is the duration of a fault without the parameter for. Every fault ends, because a server that refuses
// connections could not be told to stop.
const defaultFaultDuration = time.Minute

// newControl serves GET faults and POST fault?name=hang&api=getMediaList&for=60s; name=none ends the fault.
func (s *Server) newControl() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+controlPath+"faults", listFaults)
	mux.HandleFunc("POST "+controlPath+"fault", s.controlFault)
	return mux
}

func listFaults(w http.ResponseWriter, _ *http.Request) {
	for _, f := range Faults {
		_, _ = fmt.Fprintf(w, "%-20s%s\n", f.Name, f.Doc)
	}
}

func (s *Server) controlFault(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	name, lasts := query.Get("name"), defaultFaultDuration
	if text := query.Get("for"); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil || lasts <= 0 {
			http.Error(w, fmt.Sprintf("for=%s is not a time such as 60s", text), http.StatusBadRequest)
			return
		}
	}
	if name == "" {
		http.Error(w, "name is missing: one of "+controlPath+"faults, or none", http.StatusBadRequest)
		return
	}
	if name == "none" {
		name = ""
	}
	conn, _ := r.Context().Value(connKey{}).(net.Conn)
	if err := s.setFault(name, query["api"], lasts, conn); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
