/** Do packets of the kind that the agents send arrive? One side listens with what the server has, the other side calls. Parsing is pure. */
import type { Facts } from './check.ts';

export interface Endpoint {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
}

const textOf = ({ protocol, address, port }: Endpoint): string => `${protocol}:${address}:${port}`;

const perlListener = `use strict; use IO::Socket::INET; use IO::Select; $| = 1;
my ($seconds, @ends) = @ARGV; my $select = IO::Select->new(\\*STDIN); my (%end, @peers);
for my $text (@ends) {
  my ($protocol, $address, $port) = split /:/, $text;
  my $socket = IO::Socket::INET->new(Proto => $protocol, LocalAddr => $address, LocalPort => $port, $protocol eq "tcp" ? (Listen => 16, ReuseAddr => 1) : ());
  if ($socket) { $select->add($socket); $end{fileno $socket} = [$text, $protocol]; } else { print "busy $text\\n"; }
}
print "ready\\n";
my $until = time + $seconds;
LISTEN: while (time < $until) {
  for my $handle ($select->can_read(0.5)) {
    if (fileno($handle) == 0) { last LISTEN unless sysread(STDIN, my $ignored, 1); next; }
    my ($text, $protocol) = @{$end{fileno $handle}};
    if ($protocol eq "tcp") { my $peer = $handle->accept or next; print "heard $text ", $peer->peerhost, "\\n"; close $peer; }
    else { my $from = $handle->recv(my $data, 100) or next; my ($port, $ip) = sockaddr_in($from); print "heard $text ", inet_ntoa($ip), "\\n"; }
  }
}`;

const pythonListener = `import select, socket, sys, time
seconds, ends = int(sys.argv[1]), {}
for text in sys.argv[2:]:
    protocol, address, port = text.split(":")
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
    try:
        if protocol == "tcp": made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, int(port)))
        if protocol == "tcp": made.listen(16)
        ends[made] = (text, protocol)
    except OSError: print("busy " + text, flush=True)
print("ready", flush=True)
until, go = time.monotonic() + seconds, True
while go and time.monotonic() < until:
    for one in select.select(list(ends) + [sys.stdin], [], [], 0.5)[0]:
        if one is sys.stdin:
            go = sys.stdin.buffer.raw.read(1) not in (b"", None)
            continue
        text, protocol = ends[one]
        if protocol == "tcp":
            peer, source = one.accept(); peer.close()
        else: source = one.recvfrom(100)[1]
        print("heard", text, source[0], flush=True)`;

const single = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** Until its input ends, at most `seconds`. Says `busy END`, `ready`, `heard END FROM`, or `none` when the server has nothing to listen with. */
export function listenScript(ends: readonly Endpoint[], seconds: number): string {
  const words = `${seconds} ${ends.map(textOf).join(' ')}`;
  return `PATH=$PATH:/usr/libexec
if perl -MIO::Socket::INET -MIO::Select -e 1 2>/dev/null; then exec perl -e ${single(perlListener)} ${words}; fi
for python in python3 platform-python; do command -v $python >/dev/null 2>&1 && exec $python -c ${single(pythonListener)} ${words}; done
echo none`;
}

const callSeconds = 2;

/** All at once. Says `tcp END ok|refused|silent|unchecked`, `ping ADDRESS MS` or `ping ADDRESS -`. Datagrams go three times: one may be lost. */
export function callScript(ends: readonly Endpoint[], addresses: readonly string[]): string {
  return `LC_ALL=C; export LC_ALL
call() {
  command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1 || { [ $1 = udp ] || echo "tcp $1:$2:$3 unchecked"; return; }
  if [ $1 = udp ]; then for i in 1 2 3; do bash -c "echo holdfast > /dev/udp/$2/$3" 2>/dev/null; sleep 0.1 2>/dev/null || sleep 1; done; return; fi
  timeout ${callSeconds} bash -c ": < /dev/tcp/$2/$3" 2>/dev/null
  case $? in 0) echo "tcp $1:$2:$3 ok" ;; 124|137|143) echo "tcp $1:$2:$3 silent" ;; *) echo "tcp $1:$2:$3 refused" ;; esac
}
echo_to() {
  said=$(ping -c 3 -i 0.2 -W 1 "$1" 2>/dev/null || ping -c 1 -W 1 "$1" 2>/dev/null)
  ms=$(echo "$said" | sed -n 's/.*min\\/avg\\/max[^=]*= *\\([0-9.]*\\)\\/.*/\\1/p')
  echo "ping $1 \${ms:--}"
}
${ends.map(({ protocol, address, port }) => `call ${protocol} ${address} ${port} &`).join('\n')}
${addresses.map((address) => `echo_to ${address} &`).join('\n')}
wait`;
}

export interface Heard {
  /** False: the server has no program to listen with. */
  readonly listened: boolean;
  readonly busy: readonly string[];
  readonly heard: readonly { readonly end: string; readonly from: string }[];
}

export function parseHeard(output: string): Heard {
  const words = output.split('\n').map((line) => line.split(' '));
  return {
    listened: words.some(([first]) => first === 'ready'),
    busy: words.flatMap(([first, end = '']) => (first === 'busy' ? [end] : [])),
    heard: words.flatMap(([first, end = '', from = '']) => (first === 'heard' ? [{ end, from }] : [])),
  };
}

export type Answer = 'ok' | 'refused' | 'silent' | 'unchecked';

export interface Called {
  readonly tcp: Readonly<Record<string, Answer>>;
  /** Milliseconds there and back; null: no answer. */
  readonly ping: Readonly<Record<string, number | null>>;
}

export function parseCalled(output: string): Called {
  const tcp: Record<string, Answer> = {};
  const ping: Record<string, number | null> = {};
  for (const [first = '', about = '', said = ''] of output.split('\n').map((line) => line.split(' '))) {
    if (first === 'tcp' && (said === 'ok' || said === 'refused' || said === 'silent')) tcp[about] = said;
    if (first === 'ping') ping[about] = said === '-' ? null : Number(said);
  }
  return { tcp, ping };
}

/** From one machine to another, over one network. */
export interface Passage {
  readonly network: { readonly name: string; readonly subnet: string };
  readonly from: string;
  readonly to: string;
  readonly address: string;
  readonly pingMs: number | null;
  readonly tcp: Answer;
  readonly udp: Answer;
}

export function passageOf(
  way: Pick<Passage, 'network' | 'from' | 'to' | 'address'>,
  ends: readonly Endpoint[],
  called: Called,
  heard: Heard,
  /** Of the caller. */
  sources: readonly string[],
): Passage {
  const answerOf = (end: Endpoint | undefined): Answer => {
    if (end === undefined) return 'unchecked';
    const text = textOf(end);
    const arrived = heard.heard.some((one) => one.end === text && sources.includes(one.from));
    if (arrived) return 'ok';
    const isBusy = heard.busy.includes(text);
    // Whoever has the port answered for us.
    if (end.protocol === 'tcp' && called.tcp[text] === 'ok') return 'ok';
    if (!heard.listened || isBusy) return 'unchecked';
    return end.protocol === 'tcp' ? (called.tcp[text] ?? 'unchecked') : 'silent';
  };
  const find = (protocol: Endpoint['protocol']): Endpoint | undefined =>
    ends.find((end) => end.protocol === protocol && end.address === way.address);
  return { ...way, pingMs: called.ping[way.address] ?? null, tcp: answerOf(find('tcp')), udp: answerOf(find('udp')) };
}

export function passageFacts(passage: Passage): Facts {
  const { network, from, to, address, pingMs, tcp, udp } = passage;
  return { network: network.name, subnet: network.subnet, from, to, address, pingMs, tcp, udp };
}
