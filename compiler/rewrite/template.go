package rewrite

// template is Go text with holes, split at them: text, hole, text, hole, …, text.
type template []part

// part is a stretch of text, or the name of a hole.
type part struct {
	text string
	hole bool
}

// parseTemplate splits text at its holes, written $name; $$ is a dollar sign.
func parseTemplate(text string) template {
	var t template
	start := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '$' {
			continue
		}
		end := i + 1
		if end < len(text) && text[end] == '$' {
			t = append(t, part{text: text[start:end]})
			start, i = end+1, end
			continue
		}
		for end < len(text) && nameByte(text[end]) {
			end++
		}
		if i > start {
			t = append(t, part{text: text[start:i]})
		}
		t = append(t, part{text: text[i+1 : end], hole: true})
		start, i = end, end-1
	}
	if start < len(text) {
		t = append(t, part{text: text[start:]})
	}
	return t
}

func nameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func (t template) holes() []string {
	var names []string
	for _, p := range t {
		if p.hole {
			names = append(names, p.text)
		}
	}
	return names
}
