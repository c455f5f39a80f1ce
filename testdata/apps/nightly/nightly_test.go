package nightly_test

import (
	"testing"
	"time"

	"github.com/onefold/onefold/onefoldtest"
	"github.com/onefold/onefold/testdata/apps/nightly/gen"
	"github.com/onefold/onefold/testdata/apps/nightly/report"
	"github.com/onefold/onefold/testdata/apps/nightly/sales"
)

// What was sold before a night is in the books of the day, what was sold later in those of the next.
func TestTwoNights(t *testing.T) {
	app := onefoldtest.New(t, report.NewReports, sales.NewSales)
	onefoldtest.Simulate(t, app, gen.App(), func(s *onefoldtest.Simulation) {
		s.Skip(9 * time.Hour) // the shops open
		day := time.Now().UTC().Format(time.DateOnly)
		s.Call("Sales.Sell", `{"shop":"north","cents":500}`)
		s.Call("Sales.Sell", `{"shop":"south","cents":200}`)
		s.Call("Sales.Sell", `{"shop":"north","cents":50}`)
		s.Skip(24 * time.Hour)
		s.Expect(s.Call("Reports.Day", `{"day":"`+day+`"}`), `{"north":550,"south":200}`)

		next := time.Now().UTC().Format(time.DateOnly)
		s.Call("Sales.Sell", `{"shop":"south","cents":1}`)
		s.Skip(24 * time.Hour)
		s.Expect(s.Call("Reports.Day", `{"day":"`+next+`"}`), `{"south":1}`)
		s.Expect(s.Call("Reports.Day", `{"day":"`+day+`"}`), `{"north":550,"south":200}`)
	})
}
