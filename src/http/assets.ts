import express from 'express'
import type { OtpHandler } from '../express-types.js'
import type { Renderer } from '../views/renderer.js'

/** A year. Another version has another URL. */
const HASHED = 'private, max-age=31536000, immutable'
const REVALIDATED = 'private, no-cache'

/**
 * Serves style sheets, scripts and what else is in the folders, then what is generated. The session middleware of the host stands in front and may
 * add a cookie to each response (`rolling: true`), so no shared cache may keep one (RFC 9111 7.3).
 *
 * A URL with the current version, `?v=…`, is kept by the browser. Any other is checked at each use: a URL without it, one of
 * another version, which a process of the next deploy may have made, and all outside production, where files are edited.
 */
export function serveAssets(views: Renderer): OtpHandler {
  const isProduction = process.env.NODE_ENV === 'production'
  const router = express.Router()
  const setHeaders = (res: express.Response): void => {
    const isHashed = isProduction && res.req.query.v === views.assetVersion
    res.setHeader('Cache-Control', isHashed ? HASHED : REVALIDATED)
    res.setHeader('X-Content-Type-Options', 'nosniff')
  }
  for (const folder of views.assetFolders) {
    router.use(express.static(folder, { index: false, redirect: false, cacheControl: false, setHeaders }))
  }
  for (const { name, contentType, content } of views.generatedAssets) {
    router.get(`/${name}`, (_req, res) => {
      setHeaders(res)
      res.type(contentType).send(content)
    })
  }
  return router as unknown as OtpHandler
}
