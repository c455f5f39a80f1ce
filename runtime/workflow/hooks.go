package workflow

// Hooks let a test watch executions and disturb them. The zero value does not.
type Hooks struct {
	// Call is told of each step that is about to call a method. If it returns an
	// error, that is what the step ends in, and the method is not called.
	Call func(c Call) error
	// Called is told what such a step ended in, once that is recorded.
	Called func(c Call, result any, err error)
	// Effect runs the function of each [Do] that is about to have its effect; the
	// error is what the step ends in.
	Effect func(name, key string, fn func() error) error
}

// Call is a step that calls a method.
type Call struct {
	ID, Step string // of the workflow, and where it is there
	Method   string // Service.Method
	Args     any    // a struct of the parameters
}

func (h *Hooks) call(c Call) error {
	if h.Call == nil {
		return nil
	}
	return h.Call(c)
}

func (h *Hooks) called(c Call, result any, err error) {
	if h.Called != nil {
		h.Called(c, result, err)
	}
}

func (h *Hooks) effect(name, key string, fn func() error) error {
	if h.Effect == nil {
		return fn()
	}
	return h.Effect(name, key, fn)
}
