// Starts the product's own binary on a database of its own and stops it again.
//
// Readiness is detected by the process's output, never by waiting: `zoop demo --json` prints one object
// once it serves.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * @param {string} binary the path of `zoop`
 * @param {Record<string, string>} settings further variables with settings in them
 * @returns {Promise<{demo: Record<string, string>, stop: () => Promise<void>}>} what the demo printed
 */
export async function startDemo(binary, settings = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'zoop-clients-'));
  const { server, ended, log } = start(binary, ['demo', '--listen', '127.0.0.1:0', '--json'], folder, {
    ZOOP_DATABASE: `sqlite://${join(folder, 'zoop.db')}`,
    // Several clients share one key here, and the suite by itself makes some hundred calls a minute.
    ZOOP_LIMITS_CREDENTIAL: '0',
    ZOOP_LIMITS_TENANT: '0',
    ZOOP_LIMITS_NOTE_WRITES: '0',
    ...settings,
  });
  const stop = async () => {
    server.kill('SIGTERM');
    const how = await ended;
    await rm(folder, { recursive: true, force: true });
    if (how !== 0) {
      throw new Error(`the server did not stop cleanly (${how}); its log:\n${log()}`);
    }
  };
  try {
    return { demo: await firstObject(server.stdout, ended, log), stop };
  } catch (error) {
    server.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Starts the binary in a folder, without the settings of the user who runs the tests. */
function start(binary, args, folder, settings) {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('ZOOP_')),
  );
  const server = spawn(binary, args, {
    // The database, and a zoop.toml if there were one, belong to the folder it starts in.
    cwd: folder,
    env: { ...environment, ZOOP_SERVER_OPS_LISTEN: 'none', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // An aborted test must not leave its server running.
  process.once('exit', () => server.kill('SIGKILL'));
  let log = '';
  server.stderr.setEncoding('utf8').on('data', (text) => {
    log += text;
  });
  const ended = new Promise((resolve) => {
    server.once('error', (error) => resolve(error.message));
    server.once('exit', (code, signal) => resolve(code ?? signal));
  });
  return { server, ended, log: () => log };
}

/**
 * Starts `zoop serve` with its own limits on an existing database.
 *
 * @param {string} binary the path of `zoop`
 * @param {Record<string, string>} settings the database and further settings, as variables
 * @returns {Promise<{origin: string, stop: () => Promise<void>}>} the address at which clients reach it
 */
export async function startServer(binary, settings) {
  const own = Object.fromEntries(Object.entries(settings).filter(([name]) => name.startsWith('ZOOP_')));
  const { server, ended, log } = start(binary, ['serve', '--listen', '127.0.0.1:0'], tmpdir(), {
    ...own,
    ZOOP_LOG_FORMAT: 'json',
  });
  const endpoint = await new Promise((resolve, reject) => {
    server.stderr.on('data', () => {
      const ready = log().split('\n').find((line) => line.includes('"ready"'));
      if (ready !== undefined) resolve(/"endpoint":"([^"]*)"/.exec(ready)[1]);
    });
    ended.then((how) => reject(new Error(`the server ended (${how}) before it was ready:\n${log()}`)));
  });
  const stop = async () => {
    server.kill('SIGTERM');
    const how = await ended;
    if (how !== 0) throw new Error(`the server did not stop cleanly (${how}); its log:\n${log()}`);
  };
  return { origin: new URL(endpoint).origin, stop };
}

/** The first JSON object on `stream`, or an error with the log when the process ends before it. */
function firstObject(stream, ended, log) {
  return new Promise((resolve, reject) => {
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      try {
        resolve(JSON.parse(text));
      } catch {
        // The object is incomplete; its next part comes with the next chunk.
      }
    });
    ended.then((how) => reject(new Error(`the server ended (${how}) before it was ready:\n${log()}`)));
  });
}
