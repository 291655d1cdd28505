package udflib

import "github.com/tickwell/tickwell"

// classPrefix begins the class names of the documents.
const classPrefix = "org.apache.iotdb.library."

// classes are the names that the registration statements of the documents give
// the functions.
var classes = map[string]string{
	"completeness": "dquality.UDTFCompleteness", "consistency": "dquality.UDTFConsistency",
	"timeliness": "dquality.UDTFTimeliness", "validity": "dquality.UDTFValidity",

	"acf": "dprofile.UDTFACF", "distinct": "dprofile.UDTFDistinct", "histogram": "dprofile.UDTFHistogram",
	"integralavg": "dprofile.UDAFIntegralAvg", "mad": "dprofile.UDAFMad", "median": "dprofile.UDAFMedian",
	"minmax": "dprofile.UDTFMinMax", "mvavg": "dprofile.UDTFMvAvg", "pacf": "dprofile.UDTFPACF",
	"percentile": "dprofile.UDAFPercentile", "period": "dprofile.UDAFPeriod", "qlb": "dprofile.UDTFQLB",
	"quantile": "dprofile.UDAFQuantile", "resample": "dprofile.UDTFResample", "sample": "dprofile.UDTFSample",
	"segment": "dprofile.UDTFSegment", "skew": "dprofile.UDAFSkew", "spline": "dprofile.UDTFSpline",
	"spread": "dprofile.UDAFSpread", "zscore": "dprofile.UDTFZScore",

	"iqr": "anomaly.UDTFIQR", "ksigma": "anomaly.UDTFKSigma", "lof": "anomaly.UDTFLOF",
	"masterdetect": "anomaly.UDTFMasterDetect", "mastertrain": "anomaly.UDTFMasterTrain",
	"missdetect": "anomaly.UDTFMissDetect", "outlier": "anomaly.UDTFOutlier", "range": "anomaly.UDTFRange",
	"twosidedfilter": "anomaly.UDTFTwoSidedFilter",

	"conv": "frequency.UDTFConv", "deconv": "frequency.UDTFDeconv", "dwt": "frequency.UDTFDWT",
	"envelope": "frequency.UDFEnvelopeAnalysis", "fft": "frequency.UDTFFFT", "highpass": "frequency.UDTFHighPass",
	"idwt": "frequency.UDTFIDWT", "ifft": "frequency.UDTFIFFT", "lowpass": "frequency.UDTFLowPass", "stft": "frequency.UDTFSTFT",

	"cov": "dmatch.UDAFCov", "dtw": "dmatch.UDAFDtw", "pearson": "dmatch.UDAFPearson",
	"ptnsym": "dmatch.UDTFPtnSym", "xcorr": "dmatch.UDTFXCorr",

	"masterrepair": "drepair.UDTFMasterRepair", "seasonalrepair": "drepair.UDTFSeasonalRepair",
	"timestamprepair": "drepair.UDTFTimestampRepair", "valuefill": "drepair.UDTFValueFill", "valuerepair": "drepair.UDTFValueRepair",

	"consecutivesequences": "series.UDTFConsecutiveSequences", "consecutivewindows": "series.UDTFConsecutiveWindows",

	"ar": "dlearn.UDTFAR", "representation": "dlearn.UDTFRepresentation", "rm": "dlearn.UDAFRM",
}

// Classes gives the functions of groups, or of all groups if none is named, by
// the class names of the documents, such as
// "org.apache.iotdb.library.dprofile.UDTFACF", for
// tickwell.Options.FunctionClasses: CREATE FUNCTION statements that name them
// work, and what they created is there again when the store is opened.
func Classes(groups ...Group) map[string]tickwell.FunctionSpec {
	all := map[string]tickwell.FunctionSpec{}
	for _, f := range Functions(groups...) {
		if class := classes[f.Name]; class != "" {
			all[classPrefix+class] = tickwell.FunctionSpec{UDTF: f.udtf, UDAF: f.udaf}
		}
	}
	return all
}
