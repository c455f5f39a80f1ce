package image

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
)

// The parts of SPDX 2.3 that a Go program needs.
type (
	spdxDocument struct {
		Version       string             `json:"spdxVersion"`
		License       string             `json:"dataLicense"`
		ID            string             `json:"SPDXID"`
		Name          string             `json:"name"`
		Namespace     string             `json:"documentNamespace"`
		Creation      spdxCreation       `json:"creationInfo"`
		Packages      []spdxPackage      `json:"packages"`
		Relationships []spdxRelationship `json:"relationships"`
	}
	spdxCreation struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	}
	spdxPackage struct {
		ID       string          `json:"SPDXID"`
		Name     string          `json:"name"`
		Version  string          `json:"versionInfo,omitempty"`
		Location string          `json:"downloadLocation"`
		Analyzed bool            `json:"filesAnalyzed"`
		Comment  string          `json:"comment,omitempty"`
		Refs     []spdxReference `json:"externalRefs,omitempty"`
	}
	spdxReference struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
	spdxRelationship struct {
		Element string `json:"spdxElementId"`
		Type    string `json:"relationshipType"`
		Related string `json:"relatedSpdxElement"`
	}
)

// billOf returns the bill of materials of the service's binary: the modules that
// the linker says it is made of.
func billOf(c Contents) ([]byte, error) {
	info, err := buildinfo.ReadFile(c.Program)
	if err != nil {
		return nil, fmt.Errorf("read the modules of %s: %w", c.Program, err)
	}
	d := spdxDocument{
		Version: "SPDX-2.3", License: "CC0-1.0", ID: "SPDXRef-DOCUMENT", Name: c.Application,
		Namespace: "https://onefold.dev/sbom/" + c.Application + "/" + c.Version,
		Creation:  spdxCreation{Created: epoch.Format("2006-01-02T15:04:05Z"), Creators: []string{"Tool: onefold"}},
	}
	d.add(spdxPackage{Name: c.Application, Version: c.Version}, "DESCRIBES", d.ID)
	root := d.Packages[0].ID
	d.add(spdxPackage{Name: "go", Version: strings.TrimPrefix(info.GoVersion, "go"), Comment: "standard library"}, "DEPENDS_ON", root)
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		comment := m.Sum
		for m.Replace != nil {
			comment = "replaced by " + m.Replace.Path + " " + m.Replace.Version
			if strings.HasPrefix(m.Replace.Path, ".") || strings.HasPrefix(m.Replace.Path, "/") {
				comment = "replaced by a local folder" // whose name is nobody's business
				break
			}
			m = m.Replace
		}
		d.add(spdxPackage{
			Name: m.Path, Version: m.Version, Comment: comment,
			Refs: []spdxReference{{"PACKAGE-MANAGER", "purl", "pkg:golang/" + m.Path + "@" + m.Version}},
		}, "DEPENDS_ON", root)
	}
	return json.MarshalIndent(d, "", "  ")
}

// add appends a package, which relates to another or to the document.
func (d *spdxDocument) add(p spdxPackage, relation, to string) {
	p.ID = fmt.Sprintf("SPDXRef-%d", len(d.Packages))
	p.Location = "NOASSERTION"
	d.Packages = append(d.Packages, p)
	d.Relationships = append(d.Relationships, spdxRelationship{to, relation, p.ID})
}
