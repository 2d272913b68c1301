//go:build race

package rows

// poison says whether what an arena held is overwritten when it is emptied.
const poison = true
