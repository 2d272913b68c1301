// Sends a few calls through Segment's own client, as it comes, whenever it is told to: the test takes Sojourn away meanwhile.
import readline from 'node:readline'
import { Analytics } from '@segment/analytics-node'

const analytics = new Analytics({ writeKey: process.env.WRITE_KEY, host: process.env.SOJOURN_URL, flushAt: 5 })
const say = (line) => process.stdout.write(line + '\n')
analytics.on('http_request', ({ headers }) => say('retries ' + (headers['X-Retry-Count'] ?? 0)))

let second = 0
function call () {
  const timestamp = new Date(Date.UTC(2026, 10, 2, 9, 0, second++))
  const event = { userId: 'u-1', anonymousId: 'node-1', context: { groupId: 'initech' }, event: 'Report Built', timestamp }
  return new Promise((resolve, reject) => {
    analytics.track(event, (error, context) => {
      if (error) return reject(error)
      say('sent ' + context.event.messageId)
      resolve()
    })
  })
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  if (line === 'close') break
  await Promise.all(Array.from({ length: 5 }, call))
  say('delivered')
}
await analytics.closeAndFlush({ timeout: 20_000 })
