// Serves the test's pages from an origin of their own.
import http from 'node:http'
import { buildSync } from 'esbuild'

// serve returns the address of the site. `/standard` and `/batching` load the client with this way of delivery, `/away` loads none.
export async function serve (writeKey, cdnURL) {
  const { outputFiles: [{ text: script }] } = buildSync({ entryPoints: ['page.mjs'], bundle: true, minify: true, write: false })
  const options = {
    '/standard': {},
    '/batching': { integrations: { 'Segment.io': { deliveryStrategy: { strategy: 'batching' } } } },
  }
  const server = http.createServer((request, response) => {
    const [url] = request.url.split('?')
    const type = url === '/page.js' ? 'text/javascript' : 'text/html'
    response.writeHead(url === '/favicon.ico' ? 204 : 200, { 'Content-Type': type + '; charset=utf-8' })
    if (url === '/page.js') return response.end(script)
    const config = JSON.stringify({ writeKey, cdnURL, options: options[url] })
    const client = options[url] ? `<script>window.config = ${config}</script><script src="/page.js"></script>` : ''
    response.end(`<!doctype html><title>${url}</title>${client}`)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return `http://127.0.0.1:${server.address().port}`
}
