package segment

// readActive takes whether the sender says that the user did nothing: "active" of the context, or of that of the batch, is false. Anything
// else, such as the text "false", says nothing.
func (p *parser) readActive() *Problem {
	p.call.Inactive = string(p.at([]string{"context", "active"})) == "false"
	return nil
}
