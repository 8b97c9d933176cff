// Recognises signs from poses in the browser: what SignInferencer does in Python, on onnxruntime-web.
// The graph crops, mirrors and recognises; this module chooses frames and orders joints. docs/inference.md
// describes the page, tests/test_apis/test_browser_page.py holds both to equal answers.

const ORT = '1.30.0';
const ORT_FILE = 'ort.wasm.min.mjs';
const LOCAL = new URL('./ort/', import.meta.url).href;
const CDN = `https://cdn.jsdelivr.net/npm/onnxruntime-web@${ORT}/dist/`;
const METADATA_KEY = 'signbert_mm';
const METADATA_VERSION = 1;
const POSES = 'signbert_mm.poses';

// As signbert_mm/datasets/hand_rule.py.
const JOINT_THRESHOLD = 0.1;
const MIN_JOINTS = 10;
const ARM_THRESHOLD = 0.8;
const FINGERS = ['thumb', 'forefinger', 'middle_finger', 'ring_finger', 'pinky_finger'];
const HAND = ['hand_root', ...FINGERS.flatMap((finger) => [1, 2, 3, 4].map((knuckle) => finger + knuckle))];
const ARM = ['shoulder', 'elbow', 'wrist'];

// As signbert_mm/apis/rejection.py.
const NONE_OF_THESE = 'none of these signs: the clip resembles no sign of the vocabulary enough';
const REJECTIONS = ['max_probability', 'known_odds'];

// ---- the model's file

function varint(bytes, place) {
  let value = 0;
  // Not shifts, which are of 32 bits.
  for (let factor = 1; ; factor *= 128) {
    if (place >= bytes.length) throw new Error('the file ends too early: copy the model again');
    const byte = bytes[place++];
    value += (byte & 127) * factor;
    if (byte < 128) return [value, place];
  }
}

// The fields of a protobuf message: [number, bytes], of those that hold bytes.
function* fields(bytes) {
  let place = 0;
  while (place < bytes.length) {
    let key, size;
    [key, place] = varint(bytes, place);
    const wire = key % 8;
    if (wire === 0) {
      [, place] = varint(bytes, place);
      continue;
    }
    if (wire === 2) [size, place] = varint(bytes, place);
    else if (wire === 1 || wire === 5) size = wire === 1 ? 8 : 4;
    else throw new Error('this is no ONNX file');
    if (place + size > bytes.length) throw new Error('the file ends too early: copy the model again');
    if (wire === 2) yield [Math.floor(key / 8), bytes.subarray(place, place + size)];
    place += size;
  }
}

// What tools/deployment/export_onnx.py says about a model. onnxruntime-web does not give it.
export function readMetadata(bytes) {
  const text = new TextDecoder();
  // Field 14 of ModelProto is metadata_props; of an entry, field 1 is the key and 2 the value.
  for (const [number, content] of fields(bytes)) {
    if (number !== 14) continue;
    const entry = Object.fromEntries([...fields(content)].map(([key, value]) => [key, text.decode(value)]));
    if (entry[1] !== METADATA_KEY) continue;
    const meta = JSON.parse(entry[2]);
    if (meta.version !== METADATA_VERSION) {
      throw new Error(`metadata of version ${meta.version}, not ${METADATA_VERSION}: export the model again`);
    }
    if (meta.input.stand_ins || meta.input.side) {
      throw new Error('stand-in joints and models of one hand run in Python alone');
    }
    if (meta.rejection && !REJECTIONS.includes(meta.rejection.method)) {
      throw new Error(`rejection by ${meta.rejection.method} is unknown here: calibrate and export the model again`);
    }
    return meta;
  }
  throw new Error('no metadata of signbert_mm: export the model with tools/deployment/export_onnx.py');
}

// ---- poses

function checkClip(clip) {
  const name = `clip ${JSON.stringify(clip.name ?? '')}`;
  const joints = clip.joints?.length;
  if (!joints || !Array.isArray(clip.keypoints) || !clip.keypoints.length) {
    throw new Error(`${name}: it has no \`joints\` or no \`keypoints\`; tools/deployment/poses_to_json.py writes them`);
  }
  if (!(clip.image_size?.length === 2 && clip.image_size.every((side) => side > 0))) {
    throw new Error(`${name}: \`image_size\` is not width and height in pixels`);
  }
  clip.keypoints.forEach((frame, place) => {
    const whole = frame.length === joints && frame.every((joint) => joint.length === 3 && joint.every(Number.isFinite));
    if (!whole) throw new Error(`${name}: frame ${place} is not ${joints} joints of x, y and score`);
  });
}

// For each frame whether the left and the right hand count as detected.
export function handsFound(clip) {
  if (clip.hands) return clip.hands;
  const places = (names) => names.map((name) => clip.joints.indexOf(name));
  const sides = ['left', 'right'].map((side) => ({
    // 'sam_slr_27' has ten joints of a hand.
    hand: places(HAND.map((name) => `${side}_${name}`)).filter((joint) => joint >= 0),
    arm: places(ARM.map((name) => `${side}_${name}`)),
  }));
  const hasArms = sides.every(({ arm }) => !arm.includes(-1));
  return clip.keypoints.map((frame) => sides.map(({ hand, arm }) => {
    if (hand.length < MIN_JOINTS) return false;
    const sure = hand.filter((joint) => frame[joint][2] > JOINT_THRESHOLD).length;
    const raised = hasArms && sure > 0 && arm.every((joint) => frame[joint][2] > ARM_THRESHOLD);
    return sure >= Math.min(MIN_JOINTS, Math.ceil(hand.length / 2)) || raised;
  }));
}

// Positions among `length` frames, as signbert_mm/datasets/frame_choice.py chooses them.
export function chooseFrames(temporal, length) {
  const all = (start, count) => Array.from({ length: count }, (_, place) => start + place);
  if (!temporal) return all(0, length);
  const type = temporal.type.replace(/^signbert_mm\./, '');
  const count = temporal.clip_len ?? 32;
  if (type === 'CenterTemporalSample') {
    return all(Math.floor(Math.max(length - count, 0) / 2), Math.min(length, count));
  }
  if (type === 'UniformTemporalSample' && temporal.test_mode) {
    if (temporal.repeat === false && length < count) return all(0, length);
    return all(0, count).map((segment) => Math.floor(((2 * segment + 1) * length) / (2 * count)));
  }
  throw new Error(`temporal sampling by ${type} runs in Python alone`);
}

// Inputs of the graph for one clip, as plain arrays with their shapes; `frames` are positions in the clip.
export function prepare(clip, meta) {
  checkClip(clip);
  const shown = handsFound(clip).map((hands) => hands.some(Boolean));
  const everyFrame = shown.map((_, place) => place);
  const withHand = everyFrame.filter((place) => shown[place]);
  const kept = meta.input.drop_empty_frames && withHand.length ? withHand : everyFrame;
  const frames = chooseFrames(meta.input.temporal, kept.length).map((place) => kept[place]);
  // As in Python, a batch has the length of the transform, and what is behind `length` is padding.
  const size = meta.input.temporal ? meta.input.temporal.clip_len ?? 32 : frames.length;
  if (meta.max_frames !== null && size > meta.max_frames) {
    throw new Error(`a clip of ${size} frames, but the model knows ${meta.max_frames}`);
  }
  const source = meta.joints.map((joint) => clip.joints.indexOf(joint));
  if (source.every((joint) => joint < 0)) throw new Error('the poses and the model have no joint in common');
  const joints = source.length;
  const keypoints = new Float32Array(size * joints * 2);
  const scores = new Float32Array(size * joints);
  frames.forEach((frame, row) => source.forEach((joint, column) => {
    const [x, y, score] = joint < 0 ? [0, 0, 0] : clip.keypoints[frame][joint];
    // A joint of score 0 is missing, and its coordinates have no meaning.
    if (!(score > 0)) return;
    const place = row * joints + column;
    keypoints.set([x, y], 2 * place);
    scores[place] = score;
  }));
  return {
    keypoints: { data: keypoints, dims: [1, size, joints, 2] },
    scores: { data: scores, dims: [1, size, joints] },
    length: { data: BigInt64Array.of(BigInt(frames.length)), dims: [1] },
    image_size: { data: Float32Array.from(clip.image_size), dims: [1, 2] },
    frames,
    reason: withHand.length ? '' : `no hand was found in any of the ${shown.length} frames`,
  };
}

// ---- recognition

function softmax(logits, temperature) {
  const highest = Math.max(...logits);
  const exponents = Array.from(logits, (logit) => Math.exp((logit - highest) / temperature));
  const sum = exponents.reduce((total, value) => total + value, 0);
  return exponents.map((value) => value / sum);
}

// onnxruntime-web from ./ort, else from the CDN; gives the module and where it is from.
export async function loadRuntime() {
  for (const place of [LOCAL, CDN]) {
    try {
      const ort = await import(place + ORT_FILE);
      ort.env.wasm.wasmPaths = place;
      // More threads need a page that is cross-origin isolated.
      ort.env.wasm.numThreads = 1;
      return { ort, place };
    } catch (error) {
      if (place === CDN) throw new Error(`onnxruntime-web is neither in ./ort nor at ${CDN}: ${error.message}`);
    }
  }
}

export class Recogniser {
  constructor(ort, session, meta) {
    Object.assign(this, { ort, session, meta });
  }

  // `bytes`: the model's file, a Uint8Array.
  static async load(ort, bytes) {
    const meta = readMetadata(bytes);
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
    return new Recogniser(ort, session, meta);
  }

  // The answer for one clip: `scores` of all classes, the `topk` best `glosses` with their scores, and `reason`.
  // Of a calibrated model also `unknown`, and the `guesses` of a clip that shows none of its signs.
  async predict(clip, topk = 5) {
    const { frames, reason: noHand, ...inputs } = prepare(clip, this.meta);
    const feeds = Object.fromEntries(Object.entries(inputs).map(([name, { data, dims }]) => {
      const type = name === 'length' ? 'int64' : 'float32';
      return [name, new this.ort.Tensor(type, data, dims)];
    }));
    const started = performance.now();
    const outputs = await this.session.run(feeds);
    const milliseconds = performance.now() - started;
    const { rejection } = this.meta;
    let scores = softmax(outputs.logits.data, rejection?.temperature ?? 1);
    const finite = scores.every(Number.isFinite);
    const nothing = noHand || (finite ? '' : "the model's scores are not finite numbers");
    if (nothing) scores = scores.map(() => 0);
    let unknown = null;
    if (rejection && !nothing) {
      unknown = rejection.method === 'known_odds'
        ? 1 / (1 + Math.exp(outputs.known_odds.data[0])) : 1 - Math.max(...scores);
    }
    const reason = nothing || (unknown !== null && unknown >= rejection.threshold ? NONE_OF_THESE : '');
    const order = scores.map((_, label) => label).sort((a, b) => scores[b] - scores[a]);
    const best = nothing ? [] : order.slice(0, topk);
    const glosses = best.map((label) => this.meta.glosses[label] ?? `class ${label}`);
    return {
      name: clip.name ?? '',
      glosses: reason ? [] : glosses,
      best: reason ? [] : best.map((label) => scores[label]),
      scores,
      frames,
      reason,
      milliseconds,
      ...(rejection && { unknown, guesses: reason ? glosses : [] }),
    };
  }
}

// The clips of a file of tools/deployment/poses_to_json.py.
export function readPoses(text) {
  const content = JSON.parse(text);
  if (content.format !== POSES || !Array.isArray(content.clips)) {
    throw new Error(`no poses: ${POSES} expected in \`format\`; write them with tools/deployment/poses_to_json.py`);
  }
  return content.clips;
}

// ---- the page

export function start(page) {
  const status = page.querySelector('#status');
  const rows = page.querySelector('#answers');
  const state = { runtime: null, recogniser: null, clips: null, answers: [] };
  window.signs = state;

  function say(text, kind) {
    status.textContent = text;
    status.dataset.state = kind;
  }

  function row(answer) {
    const line = page.createElement('tr');
    const best = answer.glosses.map((gloss, place) => `${gloss} ${(100 * answer.best[place]).toFixed(1)} %`);
    for (const text of [answer.name, answer.reason || best.join(', '), `${answer.milliseconds.toFixed(1)} ms`]) {
      const cell = page.createElement('td');
      cell.textContent = text;
      line.append(cell);
    }
    return line;
  }

  async function recognise() {
    if (!state.recogniser || !state.clips) return;
    rows.replaceChildren();
    state.answers = [];
    for (const clip of state.clips) {
      const answer = await state.recogniser.predict(clip);
      state.answers.push(answer);
      rows.append(row(answer));
    }
    const times = state.answers.map((answer) => answer.milliseconds).sort((a, b) => a - b);
    const median = times[Math.floor(times.length / 2)] ?? 0;
    say(`${times.length} clips, ${median.toFixed(1)} ms a clip (median). onnxruntime-web is from `
      + `${state.runtime.place}`, 'done');
  }

  // One file at a time: a model that loads slowly must not answer for a later one.
  let turn = Promise.resolve();
  // Why the model, or the poses, could not be read: said until another file takes its place.
  const failed = new Map();
  function take(part, what, read) {
    turn = turn.then(async () => {
      try {
        failed.delete(part);
        say(`reading ${what} ..`, 'busy');
        await read();
        const [reason] = failed.values();
        if (reason) say(reason, 'error');
        else say(`${state.recogniser ? 'model' : 'no model yet'}, ${state.clips ? 'poses' : 'no poses yet'}`, 'ready');
        await recognise();
      } catch (error) {
        failed.set(part, `${what}: ${error.message}`);
        say(failed.get(part), 'error');
      }
    });
    return turn;
  }

  async function openModel(buffer) {
    state.recogniser = null;
    state.runtime ??= await loadRuntime();
    state.recogniser = await Recogniser.load(state.runtime.ort, new Uint8Array(buffer));
    const { glosses, precision } = state.recogniser.meta;
    page.querySelector('#model-facts').textContent = `${glosses.length} signs, ${precision ?? 'fp32'}, `
      + `${(buffer.byteLength / 1e6).toFixed(2)} MB`;
  }

  page.querySelector('#model').addEventListener('change', ({ target }) => {
    const [file] = target.files;
    if (file) take('model', file.name, async () => openModel(await file.arrayBuffer()));
  });
  page.querySelector('#poses').addEventListener('change', ({ target }) => {
    const [file] = target.files;
    if (file) take('poses', file.name, async () => { state.clips = readPoses(await file.text()); });
  });

  // What lies beside the page is taken at once.
  async function beside(part, name, read) {
    const answer = await fetch(name);
    if (answer.ok) await take(part, name, async () => read(answer));
  }
  say('choose a model and poses', 'waiting');
  beside('model', './model.onnx', async (answer) => openModel(await answer.arrayBuffer()));
  beside('poses', './poses.json', async (answer) => { state.clips = readPoses(await answer.text()); });
}

if (typeof document !== 'undefined') start(document);
