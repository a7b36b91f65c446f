import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpException } from '@nestjs/common';
import type { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { httpProblem, PROBLEM_TYPE } from '../request/http-problem.js';

/**
 * Reads the bodies of requests below one path as bytes, before any parser of the application touches them, up to a limit: a signature
 * is over bytes, and what is too large is refused whatever the application's own limit is. To be made while modules are: then it stands in
 * front of whatever the application puts in afterwards.
 */
export class RawBodies {
  private readonly bodies = new WeakMap<object, Buffer>();

  constructor(
    host: Pick<HttpAdapterHost, 'httpAdapter' | 'init$'>,
    private readonly config: Pick<ApplicationConfig, 'getGlobalPrefix'>,
    private readonly options: { readonly path: string; readonly bytesMax: number },
  ) {
    const reader = (request: Incoming, response: ServerResponse, next: () => void): void => {
      if (this.serves(request.url ?? '')) this.read(request, response, next);
      else next();
    };
    // At once, or when a testing module gets its HTTP application; never without one.
    host.init$.subscribe(() => (host.httpAdapter as HttpAdapterHost['httpAdapter'] | null)?.use(reader));
  }

  /** The body of a request below the path; empty if it had none. */
  of(request: object): Buffer {
    return this.bodies.get(request) ?? Buffer.alloc(0);
  }

  /** The body as JSON. @throws HttpException 400 */
  json(request: object): unknown {
    try {
      return JSON.parse(UTF8.decode(this.of(request))) as unknown;
    } catch {
      throw new HttpException({ detail: 'The body is not JSON in UTF-8.' }, 400);
    }
  }

  private serves(url: string): boolean {
    const [path = ''] = url.split('?');
    const whole = [this.config.getGlobalPrefix(), this.options.path].filter(Boolean).join('/');
    const prefix = `/${whole.replace(/^\/+/, '')}`.toLowerCase();
    return path.toLowerCase() === prefix || path.toLowerCase().startsWith(`${prefix}/`);
  }

  private read(request: Incoming, response: ServerResponse, next: () => void): void {
    const { bytesMax } = this.options;
    const { 'content-length': length = 0, 'content-encoding': encoding = 'identity' } = request.headers;
    const tooLarge = `The body is larger than ${bytesMax} bytes.`;
    if (encoding !== 'identity') return refuse(response, 415, 'Send the body as it is, not compressed.');
    if (Number(length) > bytesMax) return refuse(response, 413, tooLarge);
    const chunks: Buffer[] = [];
    let bytes = 0;
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes <= bytesMax) return void chunks.push(chunk);
      request.off('data', onData).pause();
      refuse(response, 413, tooLarge);
    };
    request.on('data', onData);
    request.once('end', () => {
      this.bodies.set(request, Buffer.concat(chunks));
      // For whoever looks whether the body was read: it was.
      request.body = null;
      next();
    });
  }
}

type Incoming = IncomingMessage & { body?: unknown };

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** The rest of the body is not read: the connection ends with the answer. */
function refuse(response: ServerResponse, status: 413 | 415, detail: string): void {
  const code = status === 413 ? 'payload_too_large' : 'unsupported_media_type';
  const problem = httpProblem({ status, code, detail });
  response
    .writeHead(status, { 'Content-Type': PROBLEM_TYPE, Connection: 'close' })
    .end(JSON.stringify(problem));
}
