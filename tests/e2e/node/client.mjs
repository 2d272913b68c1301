// Sends one invented morning of two users through Segment's own client. Ids and times are fixed, so that every run sends the same calls.
import { Analytics } from '@segment/analytics-node'

const analytics = new Analytics({ writeKey: process.env.WRITE_KEY, host: process.env.SOJOURN_URL, maxRetries: 3, flushAt: 4 })
let failed = false
analytics.on('error', (error) => {
  console.error(error)
  failed = true
})

let n = 0
const at = (clock) => ({ timestamp: new Date(`2026-11-02T${clock}Z`), messageId: `node-call-${++n}` })
const peter = { userId: 'u-1', anonymousId: 'node-1' }
const milton = { userId: 'u-2', anonymousId: 'node-2', context: { groupId: 'initech' } }

analytics.identify({ ...peter, ...at('10:00:00'), traits: { firstName: 'Peter', lastName: 'Gibbons', email: 'peter@initech.example' } })
analytics.group({
  ...peter, ...at('10:00:05'), groupId: 'initech',
  traits: { name: 'Initech', createdAt: '2024-02-19T00:00:00Z', employees: 120, tier: 'silver' },
})
analytics.page({ ...peter, ...at('10:01:00'), name: 'Home', properties: { module: 'Dashboard' } })
analytics.track({ ...peter, ...at('10:02:00'), event: 'Widget Added', properties: { module: 'Dashboard' } })
analytics.track({ ...peter, ...at('10:09:00'), event: 'Invoice Created', properties: { module: 'Billing', total: 39.95 } })
analytics.track({ ...peter, ...at('10:20:00'), event: 'Invoice Sent', properties: { module: 'Billing' } })
analytics.track({ ...peter, ...at('10:55:00'), event: 'Widget Added', properties: { module: 'Dashboard' } })
analytics.track({ ...milton, ...at('11:00:00'), event: 'Report Built' })
analytics.page({ ...milton, ...at('11:03:00'), category: 'Reports', name: 'Overview' })

await analytics.closeAndFlush({ timeout: 20_000 })
process.exit(failed ? 1 : 0)
