// Serves the test's pages from an origin of their own.
import http from 'node:http'
import { buildSync } from 'esbuild'

// pages are the script of each page, and how it loads its client. `/away` loads none.
const pages = {
  '/standard': ['page', {}],
  '/batching': ['page', { integrations: { 'Segment.io': { deliveryStrategy: { strategy: 'batching' } } } }],
  '/rudder': ['rudder', {}],
  '/beacon': ['rudder', { useBeacon: true }],
  '/jitsu': ['jitsu', {}],
}

const scripts = {}
const script = (name) => (scripts[name] ??= buildSync({
  entryPoints: [name + '.mjs'], bundle: true, minify: true, write: false,
}).outputFiles[0].text)

// serve returns the address of the site. Each client is given a key and the address of Sojourn.
export async function serve (keys, url) {
  const server = http.createServer((request, response) => {
    const [path] = request.url.split('?')
    const isScript = path.endsWith('.js')
    const type = isScript ? 'text/javascript' : 'text/html'
    response.writeHead(path === '/favicon.ico' ? 204 : 200, { 'Content-Type': type + '; charset=utf-8' })
    if (isScript) return response.end(script(path.slice(1, -'.js'.length)))
    const [name, options] = pages[path] ?? []
    const config = JSON.stringify({ ...keys, url, options })
    const client = name ? `<script>window.config = ${config}</script><script src="/${name}.js"></script>` : ''
    response.end(`<!doctype html><title>${path}</title>${client}`)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return `http://127.0.0.1:${server.address().port}`
}
