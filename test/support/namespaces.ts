/** Network namespaces of the kernel, joined by a bridge that lies in one of its own: links that are cut or lossy below TCP. */
import { execFileSync } from 'node:child_process';

const PORT = 4_600;

export class Namespaces {
  readonly #names: readonly string[];
  readonly #made = new Set<string>();
  readonly #removing = (): void => this.remove();

  /** @throws what `ip` says where it cannot be done; nothing stays then. */
  constructor(names: readonly string[]) {
    this.#names = names;
    // Also where the process is ended in the middle of a test.
    process.once('exit', this.#removing);
    try {
      this.#add('bridge');
      this.#in('bridge', 'link', 'add', 'br0', 'type', 'bridge');
      this.#in('bridge', 'link', 'set', 'br0', 'up');
      for (const name of names) {
        this.#add(name);
        const [inside, outside] = [['eth0', 'netns', this.#called(name)], this.#port(name)] as const;
        ip(
          'link',
          'add',
          ...inside,
          'type',
          'veth',
          'peer',
          'name',
          outside,
          'netns',
          this.#called('bridge'),
        );
        this.#in('bridge', 'link', 'set', outside, 'master', 'br0', 'up');
        this.#in(name, 'address', 'add', `${this.addressOf(name)}/24`, 'dev', 'eth0');
        this.#in(name, 'link', 'set', 'eth0', 'up');
        this.#in(name, 'link', 'set', 'lo', 'up');
      }
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** Why there can be none here; undefined where there can. */
  static get hindrance(): string | undefined {
    if (process.getuid?.() !== 0) return 'needs root';
    try {
      new Namespaces([]).remove();
      return undefined;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'needs iproute2' : 'no namespaces here';
    }
  }

  addressOf(name: string): string {
    return `10.77.0.${this.#names.indexOf(name) + 1}`;
  }

  /** The libp2p address at which the node of a namespace is to listen. */
  listenOf(name: string): string {
    return `/ip4/${this.addressOf(name)}/tcp/${PORT}`;
  }

  /** A program and arguments that run a command in a namespace. */
  command(name: string, ...command: readonly string[]): readonly [string, readonly string[]] {
    return ['ip', ['netns', 'exec', this.#called(name), ...command]];
  }

  /** Takes the link of a namespace down, at the bridge, or up again. */
  setLink(name: string, state: 'up' | 'down'): void {
    this.#in('bridge', 'link', 'set', this.#port(name), state);
  }

  /** Drops a share of what goes to a namespace; false where the kernel cannot. */
  lose(name: string, percent: number): boolean {
    try {
      const at = ['dev', this.#port(name), 'root', 'netem', 'loss', `${percent}%`];
      quietly('tc', ['-n', this.#called('bridge'), 'qdisc', 'replace', ...at]);
      return true;
    } catch {
      return false;
    }
  }

  /** Drops what is sent to a namespace without a word: its neighbours take its address for that of nobody. Until `find`. */
  misdirect(name: string): void {
    for (const other of this.#names) {
      const nobody = ['lladdr', '02:00:00:00:00:ff', 'dev', 'eth0', 'nud', 'permanent'];
      if (other !== name) this.#in(other, 'neigh', 'replace', this.addressOf(name), ...nobody);
    }
  }

  find(name: string): void {
    for (const other of this.#names)
      if (other !== name) this.#in(other, 'neigh', 'del', this.addressOf(name), 'dev', 'eth0');
  }

  /** Processes within have to be ended by then. Safe to call twice. */
  remove(): void {
    process.off('exit', this.#removing);
    for (const name of this.#made) ip('netns', 'delete', name);
    this.#made.clear();
  }

  #add(name: string): void {
    ip('netns', 'add', this.#called(name));
    this.#made.add(this.#called(name));
  }

  #called(name: string): string {
    return `entente-${process.pid}-${name}`;
  }

  #port(name: string): string {
    return `to-${name}`;
  }

  #in(name: string, ...args: readonly string[]): void {
    ip('-n', this.#called(name), ...args);
  }
}

function ip(...args: readonly string[]): void {
  quietly('ip', args);
}

function quietly(program: string, args: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
