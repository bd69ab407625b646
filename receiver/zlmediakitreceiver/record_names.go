// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package zlmediakitreceiver

import (
	"bytes"
	"strings"

	"github.com/otelcol-rtc/otelcol-rtc/internal/selection"
)

// streamName identifies a stream.
type streamName struct{ vhost, app, stream string }

var (
	escapeSlash   = strings.NewReplacer("%", "%25", "/", "%2F")
	unescapeSlash = strings.NewReplacer("%25", "%", "%2F", "/")
)

// appendStream appends the name of a stream, vhost/app/stream, to dst.
func appendStream(dst, vhost, app, stream []byte) []byte {
	dst = append(appendPart(dst, vhost), '/')
	dst = append(appendPart(dst, app), '/')
	return selection.AppendName(dst, stream)
}

// appendPart appends a vhost or app to a stream's name. It escapes slashes to distinguish app a/b, stream c from app a, stream b/c.
func appendPart(dst, part []byte) []byte {
	if bytes.IndexByte(part, '/') < 0 && bytes.IndexByte(part, '%') < 0 {
		return selection.AppendName(dst, part)
	}
	return append(dst, escapeSlash.Replace(selection.Name(part))...)
}

// splitName splits vhost/app/stream.
func splitName(name string) streamName {
	vhost, rest, _ := strings.Cut(name, "/")
	app, stream, _ := strings.Cut(rest, "/")
	return streamName{unescapeSlash.Replace(vhost), unescapeSlash.Replace(app), stream}
}

// normalName returns a name from the configuration as appendStream writes it. In vhost and app, %25 stands for a percent sign and %2F
// for a slash; any other percent sign stands for itself.
func normalName(name string) string {
	n := splitName(name)
	return string(appendStream(nil, []byte(n.vhost), []byte(n.app), []byte(n.stream)))
}
