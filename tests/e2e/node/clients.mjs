// The clients for Node, each in its normal configuration but for where it sends to and how many calls it sends at once.
import { Analytics } from '@segment/analytics-node'
import OldAnalytics from 'analytics-node'
import RudderAnalytics from '@rudderstack/rudder-sdk-node'

const { WRITE_KEY: writeKey, SOJOURN_URL: host } = process.env
const flushAt = 4

// Each is a client with the methods identify, track and so on, at, which names a call's own time as that client wants it, id, which is the
// id that it takes for a number, and close.
export const clients = {
  '@segment/analytics-node': () => {
    const client = new Analytics({ writeKey, host, flushAt })
    client.on('error', fail)
    return { client, at: (time) => ({ timestamp: time }), id: String, close: () => client.closeAndFlush({ timeout: 20_000 }) }
  },
  'analytics-node': () => {
    const client = new OldAnalytics(writeKey, { host, flushAt, errorHandler: fail })
    return { client, at: (time) => ({ timestamp: time }), id: Number, close: () => flushed(client) }
  },
  '@rudderstack/rudder-sdk-node': () => {
    const client = new RudderAnalytics(writeKey, { dataPlaneUrl: host, flushAt, errorHandler: fail })
    return { client, at: (time) => ({ originalTimestamp: time }), id: Number, close: () => flushed(client) }
  },
}

// flushed sends what an older client has queued: a flush of theirs takes flushAt calls at most.
async function flushed (client) {
  while (client.queue.length > 0) await client.flush()
}

function fail (error) {
  console.error(error)
  process.exitCode = 1
}
