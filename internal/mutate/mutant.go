// Copyright The otelcol-rtc Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// mutant is an error that can be planted: a piece of source and what takes its place. In the replacement, %d is the mutant's number.
type mutant struct {
	file, kind  string
	line        int
	start, end  int // offsets of the piece in the file
	piece       string
	replacement string
}

func (m mutant) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", m.file, m.line, m.kind, m.text())
}

// text returns the piece on one line.
func (m mutant) text() string { return strings.Join(strings.Fields(m.piece), " ") }

// key identifies the error in the file of the accepted ones.
func (m mutant) key() string { return filepath.ToSlash(m.file) + "\t" + m.kind + "\t" + m.text() }

// inRecord reports whether the error is in the logic of a record, not in a row.
func (m mutant) inRecord() bool { return strings.HasPrefix(filepath.Base(m.file), "record_") }

func (m mutant) overlaps(other mutant) bool {
	return m.file == other.file && m.start < other.end && other.start < m.end
}

// finder collects the errors that can be planted in one file.
type finder struct {
	set     *token.FileSet
	file    string
	source  []byte
	mutants []mutant

	methods    []candidate // of the builder
	attributes []candidate
	aliases    map[string]string // constants of the receiver for attributes, with the names of these
}

// candidate is an expression that can take the place of another one.
type candidate struct {
	ast.Expr
	name string
}

// find returns all errors that can be planted in the rows and records of a receiver.
func find(folder string) (all []mutant, err error) {
	aliases, err := findAliases(folder)
	if err != nil {
		return nil, err
	}
	for _, pattern := range []string{"rows*.go", "record_*.go"} {
		files, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			mutants, err := findIn(file, aliases)
			if err != nil {
				return nil, err
			}
			all = append(all, mutants...)
		}
	}
	return all, nil
}

// findAliases returns the constants of a receiver that stand for values of attributes.
func findAliases(folder string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "rows*.go"))
	if err != nil {
		return nil, err
	}
	aliases := map[string]string{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Names) != len(spec.Values) {
				return true
			}
			for i, value := range spec.Values {
				if e, ok := value.(*ast.SelectorExpr); ok && isAttribute(e) {
					aliases[spec.Names[i].Name] = e.Sel.Name
				}
			}
			return true
		})
	}
	return aliases, nil
}

func findIn(file string, aliases map[string]string) ([]mutant, error) {
	source, err := os.ReadFile(file) //nolint:gosec // a file of this repository
	if err != nil {
		return nil, err
	}
	f := &finder{set: token.NewFileSet(), file: file, source: source, aliases: aliases}
	parsed, err := parser.ParseFile(f.set, file, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	look := f.record
	if strings.HasPrefix(filepath.Base(file), "rows") {
		ast.Inspect(parsed, f.collect)
		look = f.row
	}
	for _, decl := range parsed.Decls {
		if d, ok := decl.(*ast.GenDecl); ok && d.Tok != token.VAR {
			continue // constants and types cannot depend on the environment
		}
		ast.Inspect(decl, look)
	}
	return f.mutants, nil
}

// add notes an error. The replacement's %s is the piece itself.
func (f *finder) add(kind string, n ast.Node, replacement string) {
	start, end := f.set.Position(n.Pos()), f.set.Position(n.End())
	piece := string(f.source[start.Offset:end.Offset])
	f.mutants = append(f.mutants, mutant{
		file: f.file, kind: kind, line: start.Line, start: start.Offset, end: end.Offset, piece: piece,
		replacement: strings.ReplaceAll(replacement, "%s", piece),
	})
}

func (f *finder) text(n ast.Node) string {
	return string(f.source[f.set.Position(n.Pos()).Offset:f.set.Position(n.End()).Offset])
}

// collect collects what can take the place of something else in the file.
func (f *finder) collect(n ast.Node) bool {
	switch e := n.(type) {
	case *ast.SelectorExpr:
		switch {
		case isMethod(e):
			f.methods = append(f.methods, candidate{e, e.Sel.Name})
		case isAttribute(e):
			f.attributes = append(f.attributes, candidate{e, e.Sel.Name})
		}
	case *ast.Ident:
		if name := f.aliases[e.Name]; name != "" {
			f.attributes = append(f.attributes, candidate{e, name})
		}
	}
	return true
}

// isMethod reports whether e is a method of the builder: (*builder).RecordXDataPoint.
func isMethod(e *ast.SelectorExpr) bool {
	_, ok := e.X.(*ast.ParenExpr)
	return ok && strings.HasPrefix(e.Sel.Name, "Record") && strings.HasSuffix(e.Sel.Name, "DataPoint")
}

// isAttribute reports whether e is a value of an attribute: metadata.AttributeXY.
func isAttribute(e *ast.SelectorExpr) bool {
	x, ok := e.X.(*ast.Ident)
	return ok && x.Name == "metadata" && strings.HasPrefix(e.Sel.Name, "Attribute")
}

// row looks for errors in a table of rows.
func (f *finder) row(n ast.Node) bool {
	switch e := n.(type) {
	case *ast.FuncType, *ast.ImportSpec:
		return false
	case *ast.BasicLit:
		if e.Kind == token.STRING && len(e.Value) > 2 {
			f.add("wrong key", e, "mutantPick(%d, %s, "+strconv.Quote(strings.Trim(e.Value, "\"`")+"x")+")")
		}
	case *ast.CallExpr:
		if selector, ok := e.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Info", "Warn", "Once"}, selector.Sel.Name) {
			return false // the texts of the log are no keys
		}
		if selector, ok := e.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"In", "Within", "Signed", "Rounded"}, selector.Sel.Name) {
			kind := map[string]string{"In": "unit left out"}[selector.Sel.Name]
			if kind == "" {
				kind = "range left out"
			}
			f.add(kind, e, "mutantPick(%d, %s, "+f.text(selector.X)+")")
		}
	case *ast.KeyValueExpr:
		if key, ok := e.Key.(*ast.Ident); ok && strings.EqualFold(key.Name, "unit") {
			f.add("unit left out", e.Value, "mutantZero(%d, %s)")
		}
	case *ast.SelectorExpr:
		switch {
		case isMethod(e):
			f.swap("another metric", candidate{e, e.Sel.Name}, f.methods, 0)
		case isAttribute(e):
			f.swap("another attribute", candidate{e, e.Sel.Name}, f.attributes, len("Attribute"))
		}
	case *ast.Ident:
		if name := f.aliases[e.Name]; name != "" {
			f.swap("another attribute", candidate{e, name}, f.attributes, len("Attribute"))
		}
	}
	return true
}

// swap plants the neighbour of e among those that can take its place: the next one whose name begins most alike.
func (f *finder) swap(kind string, e candidate, all []candidate, least int) {
	at := slices.IndexFunc(all, func(c candidate) bool { return c.Expr == e.Expr })
	best, most := "", least
	for i := 1; i < len(all); i++ {
		other := all[(at+i)%len(all)]
		if n := commonPrefix(other.name, e.name); other.name != e.name && n > most {
			best, most = f.text(other), n
		}
	}
	if best != "" {
		f.add(kind, e, "mutantPick(%d, %s, "+best+")")
	}
}

func commonPrefix(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// record looks for errors in the logic of a record.
func (f *finder) record(n ast.Node) bool {
	switch e := n.(type) {
	case *ast.FuncType, *ast.CaseClause:
		return true
	case *ast.BinaryExpr:
		switch e.Op {
		case token.LSS, token.GTR, token.LEQ, token.GEQ, token.EQL, token.NEQ, token.LAND, token.LOR:
			f.add("condition turned", e, "(mutantOn(%d) != (%s))")
		case token.ADD, token.SUB:
			function := map[token.Token]string{token.ADD: "mutantSum", token.SUB: "mutantDifference"}[e.Op]
			f.add("sum turned", e, function+"(%d, "+f.text(e.X)+", "+f.text(e.Y)+")")
		}
	case *ast.BlockStmt:
		for _, s := range e.List {
			f.statement(s)
		}
	case *ast.CallExpr:
		if s, ok := e.Fun.(*ast.SelectorExpr); ok && strings.HasSuffix(s.Sel.Name, "Since") && len(e.Args) > 2 {
			f.add("start time lost", e.Args[1], "mutantZero(%d, %s)")
		}
	}
	return true
}

// statement looks for statements that can be removed.
func (f *finder) statement(s ast.Stmt) {
	switch e := s.(type) {
	case *ast.ExprStmt, *ast.IncDecStmt:
		f.add("statement left out", s, "if !mutantOn(%d) { %s }")
	case *ast.AssignStmt:
		if e.Tok != token.DEFINE {
			f.add("statement left out", s, "if !mutantOn(%d) { %s }")
		}
	}
}
