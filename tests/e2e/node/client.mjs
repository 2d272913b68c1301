// Sends one invented morning of four users through the client that is named. Ids and times are fixed, so that every run, and every client,
// sends the same calls.
import { clients } from './clients.mjs'

const { client, at: timeOf, id, close } = clients[process.argv[2]]()

let n = 0
const at = (clock) => ({ ...timeOf(new Date(`2026-11-02T${clock}Z`)), messageId: `node-call-${++n}` })
const peter = { userId: 'u-1', anonymousId: 'node-1' }
const milton = { userId: 'u-2', anonymousId: 'node-2', context: { groupId: 'initech' } }

client.identify({ ...peter, ...at('10:00:00'), traits: { firstName: 'Peter', lastName: 'Gibbons', email: 'peter@initech.example' } })
client.group({
  ...peter, ...at('10:00:05'), groupId: 'initech',
  traits: { name: 'Initech', createdAt: '2024-02-19T00:00:00Z', employees: 120, tier: 'silver' },
})
client.page({ ...peter, ...at('10:01:00'), name: 'Home', properties: { module: 'Dashboard' } })
client.track({ ...peter, ...at('10:02:00'), event: 'Widget Added', properties: { module: 'Dashboard' } })
client.track({ ...peter, ...at('10:09:00'), event: 'Invoice Created', properties: { module: 'Billing', total: 39.95 } })
client.track({ ...peter, ...at('10:20:00'), event: 'Invoice Sent', properties: { module: 'Billing' } })
client.track({ ...peter, ...at('10:55:00'), event: 'Widget Added', properties: { module: 'Dashboard' } })
client.track({ ...milton, ...at('11:00:00'), event: 'Report Built' })
client.page({ ...milton, ...at('11:03:00'), category: 'Reports', name: 'Overview' })
client.screen({ ...milton, ...at('11:05:00'), name: 'Settings' })
// An id that is a number, where the client takes one, and calls of somebody whom only an alias leads to an account.
client.track({ userId: id(4711), anonymousId: 'node-3', context: { groupId: 'initech' }, ...at('11:10:00'), event: 'Report Built' })
client.track({ userId: 'guest', anonymousId: 'node-4', ...at('11:20:00'), event: 'Report Read' })
client.alias({ userId: 'u-2', previousId: 'guest', ...at('11:21:00') })

await close()
