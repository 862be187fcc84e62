// SPDX-License-Identifier: Apache-2.0

// Renders a Helm chart as `helm template` does, as far as our chart goes: Go's own template language
// and the few functions of Helm's that it uses. Another function is an error. Debian has no helm.
// usage: render_chart TEMPLATES <VALUES.json     (the object that templates see: Values, Chart, Release)
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

func functions(templates *template.Template) template.FuncMap {
	return template.FuncMap{
		"include": func(name string, data any) (string, error) {
			var text strings.Builder
			err := templates.ExecuteTemplate(&text, name, data)
			return text.String(), err
		},
		"required": func(message string, value any) (any, error) {
			if value == nil || value == "" {
				return nil, errors.New(message)
			}
			return value, nil
		},
		"fail":       func(message string) (string, error) { return "", errors.New(message) },
		"int":        func(value float64) int { return int(value) },
		"quote":      func(value any) string { return fmt.Sprintf("%q", fmt.Sprint(value)) },
		"trimSuffix": func(suffix, text string) string { return strings.TrimSuffix(text, suffix) },
		"trunc": func(length int, text string) string {
			if len(text) > length {
				return text[:length]
			}
			return text
		},
		"nindent": func(width int, text string) string {
			space := "\n" + strings.Repeat(" ", width)
			return space + strings.ReplaceAll(text, "\n", space)
		},
		// JSON is YAML.
		"toYaml": func(value any) (string, error) {
			text, err := json.Marshal(value)
			return string(text), err
		},
	}
}

func render(folder string, input io.Reader, output io.Writer) error {
	var data map[string]any
	if err := json.NewDecoder(input).Decode(&data); err != nil {
		return err
	}
	templates := template.New("chart").Option("missingkey=error")
	templates.Funcs(functions(templates))
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		return err
	}
	if _, err := templates.ParseFiles(files...); err != nil {
		return err
	}
	for _, file := range files {
		var text strings.Builder
		name := filepath.Base(file)
		if err := templates.ExecuteTemplate(&text, name, data); err != nil {
			return err
		}
		if filepath.Ext(name) == ".yaml" {
			fmt.Fprintf(output, "---\n%s\n", text.String())
		}
	}
	return nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: render_chart TEMPLATES <VALUES.json")
		os.Exit(2)
	}
	if err := render(os.Args[1], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
