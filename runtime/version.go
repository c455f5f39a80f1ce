package runtime

// MinVersion and MaxVersion are the oldest and newest version of generated code
// that this runtime runs. Generated code asserts both at compile time:
//
//	const (
//		_ = runtime.EnforceVersion(runtime.MaxVersion - 1)
//		_ = runtime.EnforceVersion(1 - runtime.MinVersion)
//	)
const (
	MinVersion = 1
	MaxVersion = 1
)

// EnforceVersion does not compile for a negative constant.
type EnforceVersion uint
