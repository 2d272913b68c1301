// What a visitor does. What runs in a page stands in evaluate and knows nothing of what is around it.

// morning makes one call of each type and more, at times that are fixed.
async function morning ({ page, site }) {
  await page.goto(`${site}/${process.argv[2]}`)
  await page.evaluate(async () => {
    const at = (clock) => ({ timestamp: `2026-11-02T${clock}Z` })
    await analytics.identify('u-1', { firstName: 'Peter', lastName: 'Gibbons', email: 'peter@initech.example' }, at('10:00:00'))
    await analytics.group('initech', { name: 'Initech', createdAt: '2024-02-19T00:00:00Z', employees: 120, tier: 'silver' }, at('10:00:05'))
    await analytics.page('Dashboard', 'Home', {}, at('10:01:00'))
    await analytics.track('Widget Added', { module: 'Dashboard' }, at('10:02:00'))
    await analytics.track('Invoice Created', { module: 'Billing', total: 39.95 }, at('10:09:00'))
    await analytics.track('Invoice Sent', { module: 'Billing' }, at('10:20:00'))
    await analytics.screen('', 'Settings', {}, at('10:55:00'))
    await analytics.track('Widget Added', { module: 'Dashboard' }, at('10:58:00'))
    await analytics.alias('u-1', 'guest', at('11:00:00'))
  })
}

// leave makes calls on a page with batching, of which none has been sent when the page goes away in the same moment.
async function leave (page, site, away) {
  await page.goto(site + '/batching')
  await page.evaluate(async () => {
    await analytics.identify('u-1')
    for (const n of [1, 2, 3, 4, 5]) await analytics.track(`Step ${n}`, { module: 'Tour' })
  })
  await away()
}

const navigating = ({ page, site }) => leave(page, site, () => page.evaluate(() => { location.href = '/away' }))
const reloading = ({ page, site }) => leave(page, site, () => page.reload())
const closing = ({ page, site }) => leave(page, site, () => page.close())

// following makes calls with standard delivery and, told that none will be answered, goes to another page of the site. The client's script on
// that page sends them again.
async function following ({ page, site, told }) {
  await page.goto(site + '/standard')
  await page.evaluate(async () => {
    await analytics.identify('u-1')
    for (const n of [1, 2, 3, 4, 5]) analytics.track(`Step ${n}`, { module: 'Tour' })
  })
  await told()
  const answered = new Set()
  const all = new Promise((resolve) => page.on('response', (response) => {
    const event = response.request().postDataJSON()?.event
    if (event && answered.add(event).size === 5) resolve()
  }))
  await page.goto(site + '/standard?next')
  await all
}

// tabs has a visitor work in three tabs at once and reload each, all with standard delivery.
async function tabs ({ browser, page, site }) {
  await page.goto(site + '/standard')
  await page.evaluate(() => analytics.identify('u-1'))
  const pages = [page, await browser.newPage(), await browser.newPage()]
  for (const visit of ['first', 'reloaded']) {
    await Promise.all(pages.map(async (tab, n) => {
      await tab.goto(site + '/standard')
      await tab.evaluate(async ([visit, n]) => {
        await Promise.all([1, 2, 3, 4].map((step) => analytics.track(`Step ${step}`, { module: `Tab ${n} ${visit}` })))
      }, [visit, n])
    }))
  }
}

// outage makes calls whenever it is told to: the test takes Sojourn away meanwhile.
async function outage ({ page, site, say, told }) {
  await page.goto(site + '/standard')
  await page.evaluate(() => analytics.identify('u-1'))
  say('ready')
  for (let event; (event = await told()) !== 'no more';) {
    await page.evaluate((event) => { for (const n of [1, 2, 3]) analytics.track(event, { n }) }, event)
  }
}

// rudder makes the same calls with RudderStack's client, which has no screens and reads a call's own time elsewhere. It waits until the client
// has taken them, which it does once it has read its settings.
async function rudder ({ page, site }, path = '/rudder') {
  await page.goto(site + path)
  await page.evaluate(async () => {
    const taken = []
    const at = (clock) => {
      let take
      taken.push(new Promise((resolve) => { take = resolve }))
      return [{ originalTimestamp: `2026-11-02T${clock}Z` }, (call) => take(noted(call))]
    }
    analytics.identify('u-1', { firstName: 'Peter', lastName: 'Gibbons', email: 'peter@initech.example' }, ...at('10:00:00'))
    analytics.group('initech', { name: 'Initech', createdAt: '2024-02-19T00:00:00Z', employees: 120, tier: 'silver' }, ...at('10:00:05'))
    analytics.page('Dashboard', 'Home', {}, ...at('10:01:00'))
    analytics.track('Widget Added', { module: 'Dashboard' }, ...at('10:02:00'))
    analytics.track('Invoice Created', { module: 'Billing', total: 39.95 }, ...at('10:09:00'))
    analytics.track('Invoice Sent', { module: 'Billing' }, ...at('10:20:00'))
    analytics.track('Widget Added', { module: 'Dashboard' }, ...at('10:58:00'))
    analytics.alias('u-1', 'guest', ...at('11:00:00'))
    await Promise.all(taken)
  })
}

// beacon does the same on a page that keeps its calls for a beacon, and leaves it.
async function beacon ({ page, site }) {
  await rudder({ page, site }, '/beacon')
  await page.goto(site + '/away')
}

// jitsu makes calls with Jitsu's client, which has no times but that of the call.
async function jitsu ({ page, site }) {
  await page.goto(site + '/jitsu')
  await page.evaluate(async () => {
    await analytics.identify('u-1', { firstName: 'Peter', email: 'peter@initech.example' })
    await analytics.group('initech', { name: 'Initech', createdAt: '2024-02-19T00:00:00Z' })
    await analytics.page('Home', { module: 'Dashboard' })
    await analytics.track('Invoice Created', { module: 'Billing' })
    await analytics.track('Invoice Sent', { module: 'Billing' })
  })
}

export const scenarios = { standard: morning, batching: morning, navigating, reloading, closing, following, tabs, outage, rudder, beacon, jitsu }
