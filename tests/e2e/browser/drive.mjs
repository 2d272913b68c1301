// Drives a real Chromium, without a window, through the scenario that is named.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import readline from 'node:readline'
import { chromium } from 'playwright-core'
import { scenarios } from './scenarios.mjs'
import { serve } from './site.mjs'

// The flags keep Chromium from calling home, which a test needs no network for.
const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync']

const say = (line) => process.stdout.write(line + '\n')
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const told = async () => (await lines.next()).value

const { WRITE_KEY: writeKey, JITSU_KEY: jitsuKey, SOJOURN_URL: url } = process.env
const site = await serve({ writeKey, jitsuKey }, url)
const profile = mkdtempSync(join(tmpdir(), 'sojourn-browser-'))
const browser = await chromium.launchPersistentContext(profile, { executablePath: process.env.CHROMIUM, args })
browser.on('console', (message) => message.type() === 'error' && say('console ' + message.text()))
browser.on('weberror', (error) => say('console ' + error.error()))
const failed = (request) => say(`failed ${request.method()} ${request.postDataJSON()?.event}`)
// What a page breaks off when it goes has not failed, and may be answered by then: the client does not read what stands in an answer.
browser.on('requestfailed', (request) => request.failure().errorText !== 'net::ERR_ABORTED' && failed(request))
browser.on('response', (response) => response.status() >= 400 && failed(response.request()))

try {
  const page = await browser.newPage()
  await scenarios[process.argv[2]]({ browser, page, site, say, told })
  await record(await browser.newPage())
  say('recorded')
  await told() // the test looks at what has arrived before the browser ends, which would make pages send what they still have
} finally {
  await browser.close()
  rmSync(profile, { recursive: true, force: true })
}

// record tells what every page of the site noted of the calls its client made.
async function record (page) {
  await page.goto(site + '/away')
  for (const [key, anonymousId] of await page.evaluate(() => Object.entries(localStorage))) {
    if (!key.startsWith('sent ')) continue
    say(key)
    say('visitor ' + anonymousId)
  }
}
