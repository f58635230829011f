// The component: a viewer for each place of the page that Streamlit mounts it in.

import { VolumeViewer } from "./view.js";

const views = new WeakMap();

export default function volumeViewer({ data, parentElement, setTriggerValue, setStateValue }) {
  let view = views.get(parentElement);
  if (!view) {
    view = new VolumeViewer(parentElement, data);
    views.set(parentElement, view);
  }
  view.send = setTriggerValue;
  view.keep = setStateValue;
  view.show(data);
  return () => {
    views.delete(parentElement);
    view.close();
  };
}
