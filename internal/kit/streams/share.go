package streams

// share is how many times what stays free one tenant may hold.
const share = 4

// Share says whether a tenant that holds so many places may take one more of those that are free. However many one tenant asks for, a part
// stays free for the others: one that is alone gets four fifths of all places, each of two four ninths, and each of n 4/(4n+1).
func Share(held, free int) bool { return free > 0 && (held == 0 || held < share*(free-1)) }
