// The code that gives what is seen: Python and command lines.

import { FIRST_SLIDERS } from "./state.js";

const RENDER = { fps: 30, width: 1280, height: 720 }; // of generated drives, as 'yolopv2 data render' makes them

export function pythonCode({ item, choice, sliders, layers }) {
  const options = Object.entries(sliders).filter(([name, value]) => value !== FIRST_SLIDERS[name]);
  const keywords = options.map(([name, value]) => `, ${name}=${value}`).join("");
  const model = [quote(choice.weights), ...modelOptions(choice).map(([name, value]) => `${name}=${typeof value === "number" ? value : quote(value)}`)];
  const lines = ["from yolopv2 import YOLOPv2"];
  const origin = item.origin ?? { kind: "camera" };
  const made = [];
  let source = { url: quote(origin.url ?? ""), camera: "0" }[origin.kind] ?? quote(item.name);
  if (item.kind === "batch") source = batchSources(item).length === 1 ? quote(batchSources(item)[0]) : `[${batchSources(item).map(quote).join(", ")}]`;
  if (origin.kind === "scene") {
    lines.push("from yolopv2.data.synthetic import render_scene");
    source = `render_scene(${[origin.seed, ...conditions(origin, "time_of_day")].join(", ")}).image`;
  }
  if (origin.kind === "drive") {
    lines.push("from yolopv2.data.synthetic import Drive", "from yolopv2.media import VideoWriter");
    made.push(
      `with VideoWriter(${quote(item.name)}, ${RENDER.fps}, ${RENDER.width}, ${RENDER.height}) as video:`,
      `    for sample in Drive(${[origin.seed, ...conditions(origin, "time_of_day")].join(", ")}).frames(${origin.frames}):`,
      "        video.write(sample.image)",
    );
  }
  const drawn = `layers=[${layers.map(quote).join(", ")}]`;
  const isStill = item.kind === "picture";
  if (isStill) lines.push("from yolopv2.media import write_image");
  lines.push("", ...made, `model = YOLOPv2(${model.join(", ")})`);
  if (isStill) {
    lines.push(`scene = model(${source}${keywords})`, "print(scene)", "print(scene.to_json())", `write_image("seen.png", scene.draw(${drawn}))`);
  } else {
    lines.push(`for scene in model.stream(${source}${keywords}):`, "    print(scene.to_json())", `    picture = scene.draw(${drawn})`);
  }
  return `${lines.join("\n")}\n`;
}

export function cliCode({ item, choice, sliders }) {
  const origin = item.origin ?? { kind: "camera" };
  const lines = [];
  let source = { url: origin.url, camera: "0" }[origin.kind] ?? item.name;
  if (origin.kind === "scene") {
    const code = "from yolopv2.media import write_image; from yolopv2.data.synthetic import render_scene; " +
      `write_image(${quote(source)}, render_scene(${[origin.seed, ...conditions(origin, "time_of_day")].join(", ")}).image)`;
    lines.push(`python -c ${shell(code)}`);
  }
  if (origin.kind === "drive") {
    const given = ["weather", "time"].filter((name) => origin[name]).map((name) => ` --${name} ${origin[name]}`);
    lines.push(`yolopv2 data render ${shell(source)} --frames ${origin.frames} --seed ${origin.seed}${given.join("")}`);
  }
  const sources = (item.kind === "batch" ? batchSources(item) : [source]).map((name) => shell(name.startsWith("-") ? `./${name}` : name));
  const options = [
    ...(choice.weights === "nano" ? [] : [["weights", choice.weights]]),
    ...modelOptions(choice),
    ...Object.entries(sliders).filter(([name, value]) => value !== FIRST_SLIDERS[name]),
  ];
  lines.push(["yolopv2 predict", ...sources, ...options.map(([name, value]) => `--${name.replaceAll("_", "-")} ${shell(String(value))}`)].join(" "));
  return `${lines.join("\n")}\n`;
}

const MOST_NAMED = 4;

// What a batch is called on the command line: its folders, its files, or for many files patterns of their names.
function batchSources({ roots, files }) {
  if (roots) return roots;
  if (files.length <= MOST_NAMED) return files.map(({ path }) => path);
  return [...new Set(files.map(({ path }) => `*.${path.split(".").at(-1)}`))];
}

// Names of the layers as the library draws them.
export function drawnLayers(layers) {
  const names = { vehicles: ["boxes", "labels"], masks: ["masks"], drivable: ["drivable"], lanes: ["lanes"], panoptic: ["panoptic"] };
  const isShown = ([layer, isOn]) => isOn && (!layers.panoptic || layer === "vehicles" || layer === "panoptic");
  return Object.entries(layers).filter(isShown).flatMap(([layer]) => names[layer]);
}

function modelOptions({ size, runtime, precision }) {
  return [["size", size, 640], ["runtime", runtime, "auto"], ["precision", precision, "auto"]]
    .filter(([, value, usual]) => value !== usual)
    .map(([name, value]) => [name, value]);
}

const conditions = ({ weather, time }, timeName) => [
  ...(weather ? [`weather=${quote(weather)}`] : []),
  ...(time ? [`${timeName}=${quote(time)}`] : []),
];

const quote = (text) => JSON.stringify(text);

const shell = (text) => (/^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
