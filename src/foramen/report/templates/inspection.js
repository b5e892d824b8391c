// The viewer of an inspection page: cuts of the scan with labels, landmarks and nerves, and a view in space.
// LPS millimetres on the page, RAS in the viewer. Nothing is fetched: every file is a text of this page.
const report = document.documentElement.dataset;
document.addEventListener("securitypolicyviolation", () => { report.blocked = String(Number(report.blocked || 0) + 1); });
report.blocked = "0";

const byId = (id) => document.getElementById(id);

function bytesOf(id) {
  const letters = atob(byId(id).textContent.trim());
  const bytes = new Uint8Array(letters.length);
  for (let n = 0; n < letters.length; n++) bytes[n] = letters.charCodeAt(n);
  return bytes;
}

async function unzipped(id) {
  const stream = new Blob([bytesOf(id)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).arrayBuffer();
}

const toRas = (p) => [-p[0], -p[1], p[2]];

function inWords(ras) {
  const part = (value, plus, minus) => `${value >= 0 ? plus : minus} ${Math.abs(value).toFixed(1)}`;
  return `${part(-ras[0], "L", "R")}  ${part(-ras[1], "P", "A")}  ${part(ras[2], "H", "F")} mm`;
}

function giveUp(reason) {
  report.viewer = "none";
  byId("viewer").hidden = true;
  byId("no-viewer").hidden = false;
  byId("no-viewer-reason").textContent = reason;
  byId("sheet").open = true;
}

async function start() {
  if (!document.createElement("canvas").getContext("webgl2")) {
    giveUp("This browser offers no WebGL2.");
    return;
  }
  if (typeof DecompressionStream === "undefined") {
    giveUp("This browser is too old for the viewer.");
    return;
  }
  const scene = JSON.parse(byId("scene").textContent);
  const address = URL.createObjectURL(new Blob([await unzipped("viewer-script")], { type: "text/javascript" }));
  const { Niivue } = await import(address);
  URL.revokeObjectURL(address);

  const common = { dragAndDropEnabled: false, logLevel: "silent", loadingText: "", isResizeCanvas: true, crosshairColor: [1, 1, 1, 0.7], crosshairWidthUnit: "mm" };
  const cuts = new Niivue({ ...common, backColor: [0, 0, 0, 1], isRadiologicalConvention: true, sagittalNoseLeft: true,
    isSliceMM: true, multiplanarShowRender: 0, multiplanarLayout: 3, multiplanarEqualSize: false, meshThicknessOn2D: 4,
    crosshairWidth: 0.5, crosshairGap: 14, fontColor: [1, 1, 1, 1], tileMargin: 4, isRuler: false, show3Dcrosshair: false });
  const space = new Niivue({ ...common, backColor: [0.2, 0.22, 0.25, 1], show3Dcrosshair: true, crosshairWidth: 0.5, isOrientCube: true, meshXRay: 0 });
  await cuts.attachTo("cuts");
  await space.attachTo("space");

  const image = await cuts.addVolumeFromUrl({ url: "image.nii", name: "image.nii", buffer: await unzipped("image"), colormap: "gray" });
  const overlay = await cuts.addVolumeFromUrl({ url: "labels.nii", name: "labels.nii", buffer: await unzipped("labels"), opacity: 0.3 });
  const colours = { R: [0], G: [0], B: [0], A: [0], I: [0], labels: [""] };
  for (const label of scene.labels) {
    colours.R.push(label.rgb[0]); colours.G.push(label.rgb[1]); colours.B.push(label.rgb[2]);
    colours.A.push(255); colours.I.push(label.value); colours.labels.push(label.name);
  }
  overlay.setColormapLabel(colours);
  cuts.opts.showLegend = false;
  cuts.setInterpolation(false);

  const meshes = {};
  for (const mesh of scene.meshes) {
    const name = `${mesh.key}.mz3`;
    meshes[mesh.key] = [];
    for (const viewer of mesh.onCuts ? [cuts, space] : [space]) {
      const buffer = await unzipped(`mesh-${mesh.key}`);
      const made = await viewer.addMeshFromUrl({ url: name, name, buffer, opacity: mesh.opacity });
      if (viewer === cuts) viewer.setMeshShader(made.id, mesh.key === "landmarks" ? "Matte" : "Crosscut");
      meshes[mesh.key].push([viewer, made]);
    }
  }

  function setWindow(name) {
    [image.cal_min, image.cal_max] = scene.windows[name];
    cuts.updateGLVolume();
  }
  let zoom = Number(byId("zoom").value);
  function look(ras) {
    const middle = cuts.frac2mm([0.5, 0.5, 0.5]);
    const shift = [0, 1, 2].map((axis) => (zoom > 1 ? middle[axis] - zoom * ras[axis] : (1 - zoom) * middle[axis]));
    cuts.setPan2Dxyzmm([...shift, zoom]);
  }
  byId("zoom").addEventListener("input", (event) => { zoom = Number(event.target.value); look(here); });
  let here = toRas(scene.start_lps_mm);
  function goTo(lps) {
    const ras = toRas(lps);
    look(ras);
    for (const viewer of [cuts, space]) {
      viewer.scene.crosshairPos = viewer.mm2frac(ras);
      viewer.drawScene();
    }
    tell(ras);
  }
  function tell(ras) {
    here = ras;
    const voxel = overlay.mm2vox(ras);
    const value = overlay.getValue(...voxel);
    const found = scene.labels.find((label) => label.value === Math.round(value));
    byId("place").textContent = `${inWords(ras)}   ${found ? found.name : "no label"}`;
  }
  cuts.onLocationChange = (where) => {
    const ras = [where.mm[0], where.mm[1], where.mm[2]];
    tell(ras);
    space.scene.crosshairPos = space.mm2frac(ras);
    space.drawScene();
  };

  for (const row of document.querySelectorAll("[data-lps]")) {
    const point = row.dataset.lps.split(",").map(Number);
    const go = () => {
      document.querySelectorAll(".chosen").forEach((other) => other.classList.remove("chosen"));
      row.classList.add("chosen");
      goTo(point);
    };
    row.addEventListener("click", go);
    row.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); go(); } });
  }
  for (const box of document.querySelectorAll("[data-mesh]")) {
    const show = () => {
      for (const [viewer, mesh] of meshes[box.dataset.mesh] || []) viewer.setMeshProperty(mesh.id, "visible", box.checked);
    };
    box.addEventListener("change", show);
    if (!box.checked) show();
  }
  for (const button of document.querySelectorAll("[data-window]")) button.addEventListener("click", () => setWindow(button.dataset.window));
  byId("label-opacity").addEventListener("input", (event) => { cuts.setOpacity(1, Number(event.target.value)); });
  for (const button of document.querySelectorAll("[data-turn]")) {
    button.addEventListener("click", () => { const [azimuth, elevation] = button.dataset.turn.split(",").map(Number); space.setRenderAzimuthElevation(azimuth, elevation); });
  }

  setWindow(byId("viewer").dataset.window);
  space.setRenderAzimuthElevation(0, 10);
  const wanted = /^#lps=([-\d.]+),([-\d.]+),([-\d.]+)$/.exec(location.hash);
  goTo(wanted ? wanted.slice(1).map(Number) : scene.start_lps_mm);
  report.outside = String(performance.getEntriesByType("resource").filter((entry) => !/^(blob|data):/.test(entry.name)).length);
  report.viewer = "ready";
}

start().catch((failure) => { giveUp(`The viewer could not start: ${failure && failure.message ? failure.message : failure}`); });
